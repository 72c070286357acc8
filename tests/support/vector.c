/* One row of a decoder's table of vectors, checked whole, byte by byte and in random cuts. */
#include "support/vector.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "support/feed.h"

enum { WAYS_N = 32 };

static void check_once(const struct codec *codec, const struct codec_conf *conf,
                       struct span opening, const struct vector *v, unsigned how)
{
    struct feed f;
    feed_init(&f, codec, conf);
    feed_bytes(&f, opening);
    buf_clear(&f.events);
    buf_clear(&f.replies);
    feed_cut(&f, v->in, how);
    bool is_same =
        strcmp(feed_events(&f), v->events) == 0 && span_eq(buf_span(&f.replies), v->reply);
    if (!is_same)
        print_error("%s, cut in way %u:\n%s--- expected:\n%s--- reply of %zu bytes:\n%s\n"
                    "--- expected %zu bytes:\n%.*s\n",
                    v->name, how, feed_events(&f), v->events, f.replies.len, buf_cstr(&f.replies),
                    v->reply.len, (int)v->reply.len, (const char *)v->reply.at);
    feed_fini(&f);
    assert_true(is_same);
}

void vector_check(const struct codec *codec, const struct codec_conf *conf, struct span opening,
                  const struct vector *v)
{
    for (unsigned how = 0; how < WAYS_N; how++)
        check_once(codec, conf, opening, v, how);
}

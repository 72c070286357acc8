/* A module's codec behind ours: messages pass, and slips of the module end the connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "service/own_codec.h"
#include "support/feed.h"

struct state {
    unsigned messages_n;
};

/* Messages end in '.', and each begins with a number that the state counts. "!" tries to use more
 * than there is, "?" hands out a message without using a byte. */
static long decode(void *state, const char *at, size_t len, struct gw_bytes *message,
                   bool *is_message)
{
    struct state *s = state;

    if (at[0] == '!')
        return (long)len + 1;
    *is_message = at[0] == '?';
    if (at[0] == '?')
        return 0;
    if (at[0] == '#')
        return GW_EPROTO;
    for (size_t i = 0; i < len; i++)
        if (at[i] == '.') {
            if (i > 0 && at[0] != (char)('0' + s->messages_n++ % 10))
                return GW_EPROTO;
            *message = gw_bytes(at, i);
            *is_message = true;
            return (long)i + 1;
        }
    return 0;
}

static size_t encoded_max(size_t payload_len)
{
    return payload_len + 1;
}

static size_t encode(char *to, struct gw_bytes payload)
{
    memcpy(to, payload.data, payload.len);
    to[payload.len] = '.';
    return payload.len + 1;
}

static const struct gw_codec own = {.state_bytes = sizeof(struct state),
                                    .decode = decode,
                                    .encoded_max = encoded_max,
                                    .encode = encode};

static void check(const char *in, const char *want)
{
    for (unsigned how = 0; how < 6; how++) {
        struct service_kind kind = {.chan.codec_conf.message_max_bytes = 8};
        struct codec codec;
        struct feed f;
        own_codec_use(&kind, &codec, &own);
        feed_init(&f, kind.chan.codec, &kind.chan.codec_conf);
        feed_cut(&f, span_str(in), how);
        if (strcmp(feed_events(&f), want) != 0)
            fail_msg("%s, cut %u: got \"%s\", want \"%s\"", in, how, feed_events(&f), want);
        feed_fini(&f);
    }
}

static void test_messages(void **state)
{
    (void)state;
    check("0ab.1c..2d", "text 3 0ab\ntext 2 1c\ntext 0 \n");
    check("0.1.2.", "text 1 0\ntext 1 1\ntext 1 2\n");
}

static void test_what_ends_the_connection(void **state)
{
    (void)state;
    check("#", "error -1002\n");
    check("!", "error -1002\n");
    check("?", "error -1002\n");
    check("0.0.", "text 1 0\nerror -1002\n");
    check("0.1.23456789", "text 1 0\ntext 1 1\n");
    check("0.1.234567890", "text 1 0\ntext 1 1\nerror -1003\n");
}

static void test_framing(void **state)
{
    struct buf out = {0};

    (void)state;
    own_codec_encode(&own, &out, span_str("a"));
    own_codec_encode(&own, &out, span_str(""));
    assert_string_equal(buf_cstr(&out), "a..");
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_what_ends_the_connection),
        cmocka_unit_test(test_framing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The invariant of every decoder: how the bytes were cut must not show in what comes out. */
#include "fuzz/both_ways.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/feed.h"

void fuzz_both_ways(const struct codec *codec, const struct codec_conf *conf, struct span opening,
                    struct span bytes, unsigned seed, bool are_replies_equal)
{
    struct feed whole, cut;
    feed_init(&whole, codec, conf);
    feed_init(&cut, codec, conf);
    feed_bytes(&whole, opening);
    feed_bytes(&cut, opening);
    feed_bytes(&whole, bytes);
    feed_cut(&cut, bytes, seed);
    bool is_same = span_eq(buf_span(&whole.events), buf_span(&cut.events));
    if (are_replies_equal)
        is_same = is_same && span_eq(buf_span(&whole.replies), buf_span(&cut.replies));
    if (!is_same) {
        fprintf(stderr, "whole:\n%s%s\ncut:\n%s%s\n", feed_events(&whole), buf_cstr(&whole.replies),
                feed_events(&cut), buf_cstr(&cut.replies));
        abort();
    }
    feed_fini(&whole);
    feed_fini(&cut);
}

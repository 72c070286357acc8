/* wire_codec, reply_codec: whole packets and answers out of any splitting of the stream. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <gw/err.h>

#include "proto/codec.h"
#include "proto/wire.h"
#include "support/vectors.h"

static const struct codec_conf no_limit;

/* Feeds the stream in pieces of step_max bytes at most (random ones when it is above 1) and gathers
 * what comes out, encoded again. */
static void assert_stream(const struct codec *codec, struct span stream, size_t step_max)
{
    struct buf in = {0}, again = {0}, reply = {0};

    for (size_t fed = 0; fed < stream.len;) {
        size_t step = 1 + (step_max > 1 ? (size_t)rand() % step_max : 0);
        if (step > stream.len - fed)
            step = stream.len - fed;
        buf_put(&in, stream.at + fed, step);
        fed += step;
        for (;;) {
            struct codec_event ev = {.kind = CODEC_CLOSE};
            ssize_t used = codec->decode(NULL, &no_limit, in.at, in.len, &ev, &reply);
            assert_true(used >= 0);
            if (used == 0) {
                assert_int_equal(ev.kind, CODEC_NOTHING);
                break;
            }
            assert_int_equal(ev.kind, CODEC_MESSAGE);
            uint8_t *to = buf_reserve(&again, ev.payload.len + CODEC_OVERHEAD_MAX);
            buf_commit(&again, codec->encode(to, ev.payload, ev.is_binary));
            buf_consume(&in, (size_t)used);
        }
    }
    assert_bytes(codec->name, buf_span(&again), stream);
    assert_int_equal(in.len, 0);
    assert_int_equal(reply.len, 0);
    buf_fini(&in);
    buf_fini(&again);
    buf_fini(&reply);
}

struct streams {
    struct buf requests;
    struct buf replies;
};

static void visit_exchange(json_t *o, void *ctx)
{
    struct streams *s = ctx;
    struct buf bytes = {0};

    if (json_is_array(json_object_get(o, "request")) && vectors_hex(o, "request_hex", &bytes))
        buf_put_span(&s->requests, buf_span(&bytes));
    if (json_is_array(json_object_get(o, "request")) && vectors_hex(o, "reply_hex", &bytes))
        buf_put_span(&s->replies, buf_span(&bytes));
    buf_fini(&bytes);
}

static void recorded_streams_in_any_split(void **state)
{
    json_t *root = vectors_load("gateway-client.json");
    struct streams s = {0};

    vectors_walk(root, visit_exchange, &s);
    assert_true(s.requests.len > 10000 && s.replies.len > 10000);
    const size_t steps[] = {1, 7, 100, 100000};
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        assert_stream(&wire_codec, buf_span(&s.requests), steps[i]);
        assert_stream(&reply_codec, buf_span(&s.replies), steps[i]);
    }
    buf_fini(&s.requests);
    buf_fini(&s.replies);
    json_decref(root);
}

static ssize_t decode_limited(const struct codec *codec, const char *hex_len, size_t max_bytes)
{
    const struct codec_conf conf = {.message_max_bytes = max_bytes};
    uint8_t head[4];
    struct codec_event ev;

    memcpy(head, hex_len, sizeof head);
    return codec->decode(NULL, &conf, head, sizeof head, &ev, NULL);
}

static void limits_hold_before_the_bytes_arrive(void **state)
{
    assert_int_equal(decode_limited(&wire_codec, "\0\0\0\x40", 64), 0);
    assert_int_equal(decode_limited(&wire_codec, "\0\0\0\x41", 64), GW_ETOOBIG);
    assert_int_equal(decode_limited(&wire_codec, "\0\0\0\x1b", 64), GW_EPROTO);
    assert_int_equal(decode_limited(&reply_codec, "\0\0\0\x40", 64), 0);
    assert_int_equal(decode_limited(&reply_codec, "\0\0\0\x41", 64), GW_ETOOBIG);
    assert_int_equal(decode_limited(&reply_codec, "\xff\xff\xff\xff", 64), GW_ETOOBIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_streams_in_any_split),
        cmocka_unit_test(limits_hold_before_the_bytes_arrive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

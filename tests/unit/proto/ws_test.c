/* WebSocket frames (RFC 6455 §5 to §8), byte for byte. The handshake has its own test. */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "support/allocs.h"
#include "support/feed.h"
#include "support/vector.h"

#define HANDSHAKE                                                                                  \
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"                   \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

/* Most vectors carry the key of zeros, so that payloads can be read; RFC_KEY is that of §5.7. */
#define KEY "\0\0\0\0"
#define RFC_KEY "\x37\xfa\x21\x3d"

static const struct codec_conf conf = {
    .message_max_bytes = 70000, .head_max_bytes = 1024, .fragments_max_n = 4};
static const struct span opening = BYTES(HANDSHAKE);

static const struct vector good[] = {
    /* §5.7 */
    {"rfc_hello", BYTES("\x81\x85" RFC_KEY "\x7f\x9f\x4d\x51\x58"), "text 5 Hello\n", {0}},
    {"rfc_ping", BYTES("\x89\x85" RFC_KEY "\x7f\x9f\x4d\x51\x58"), "control\n",
     BYTES("\x8a\x05Hello")},
    {"fragments",
     BYTES("\x01\x83" RFC_KEY "\x7f\x9f\x4d"
           "\x80\x82" RFC_KEY "\x5b\x95"),
     "text 5 Hello\n",
     {0}},

    {"binary", BYTES("\x82\x82" KEY "\x00\xff"), "binary 2 \\x00\\xff\n", {0}},
    {"empty_text", BYTES("\x81\x80" KEY), "text 0 \n", {0}},
    {"empty_binary", BYTES("\x82\x80" KEY), "binary 0 \n", {0}},
    {"two_in_one",
     BYTES("\x81\x81" KEY "a"
           "\x82\x81" KEY "b"),
     "text 1 a\nbinary 1 b\n",
     {0}},
    {"empty_fragments", BYTES("\x01\x80" KEY "\x00\x80" KEY "\x80\x80" KEY), "text 0 \n", {0}},
    {"binary_fragments",
     BYTES("\x02\x81" KEY "\xff"
           "\x00\x80" KEY "\x00\x81" KEY "\xfe"
           "\x80\x81" KEY "\xfd"),
     "binary 3 \\xff\\xfe\\xfd\n",
     {0}},
    {"as_many_fragments_again",
     BYTES("\x02\x80" KEY "\x00\x80" KEY "\x00\x80" KEY "\x80\x80" KEY "\x02\x80" KEY "\x00\x80" KEY
           "\x00\x80" KEY "\x80\x80" KEY),
     "binary 0 \nbinary 0 \n",
     {0}},
    {"message_after_fragments",
     BYTES("\x02\x81" KEY "a"
           "\x80\x81" KEY "b"
           "\x81\x81" KEY "c"),
     "binary 2 ab\ntext 1 c\n",
     {0}},
    /* vector fragments_with_ping: the original answers with the fragment and loses it */
    {"ping_between",
     BYTES("\x01\x84" KEY "one "
           "\x89\x81" RFC_KEY "\x47"
           "\x80\x83" KEY "two"),
     "control\ntext 7 one two\n", BYTES("\x8a\x01p")},
    {"pong_between",
     BYTES("\x01\x81" KEY "a"
           "\x8a\x80" KEY "\x80\x81" KEY "b"),
     "control\ntext 2 ab\n",
     {0}},
    {"ping_empty", BYTES("\x89\x80" KEY), "control\n", BYTES("\x8a\x00")},
    {"pong", BYTES("\x8a\x83" KEY "abc"), "control\n", {0}},
    {"partial_head", BYTES("\x81\xfe\x01"), "", {0}},
    {"partial_payload", BYTES("\x81\x85" KEY "Hell"), "", {0}},

    /* UTF-8 over the border of fragments: one, two, three and four bytes */
    {"utf8_split",
     BYTES("\x01\x83" KEY "\xce\xba\xe1"
           "\x00\x83" KEY "\xbd\xb9\xf0"
           "\x80\x83" KEY "\x9f\x98\x80"),
     "text 9 \\xce\\xba\\xe1\\xbd\\xb9\\xf0\\x9f\\x98\\x80\n",
     {0}},
    {"binary_is_not_utf8", BYTES("\x82\x82" KEY "\xff\xfe"), "binary 2 \\xff\\xfe\n", {0}},
};

static const struct vector goodbyes[] = {
    {"empty", BYTES("\x88\x80" KEY), "close 1005 \n", BYTES("\x88\x00")},
    {"code", BYTES("\x88\x82" KEY "\x03\xe8"), "close 1000 \n", BYTES("\x88\x02\x03\xe8")},
    {"masked", BYTES("\x88\x82" RFC_KEY "\x34\x12"), "close 1000 \n", BYTES("\x88\x02\x03\xe8")},
    {"reason",
     BYTES("\x88\x85" KEY "\x0f\xa1"
           "bye"),
     "close 4001 bye\n", BYTES("\x88\x02\x0f\xa1")},
    {"then_text", BYTES("\x88\x80" KEY "\x81\x81" KEY "a"), "close 1005 \n", BYTES("\x88\x00")},
    {"then_rubbish", BYTES("\x88\x80" KEY "\xff\xff\xff"), "close 1005 \n", BYTES("\x88\x00")},
    {"inside_message", BYTES("\x01\x81" KEY "a\x88\x82" KEY "\x03\xe8"), "close 1000 \n",
     BYTES("\x88\x02\x03\xe8")},
};

/* Each input ends with the byte at which the fault can be known. */
struct fault {
    const char *name;
    struct span in;
    const char *events;
    uint16_t code;
    const char *reason;
};

#define BAD_UTF8 "error -1004\n", 1007, "the text is not UTF-8"
#define BAD_LEN "error -1002\n", 1002, "the length is not in its shortest form"
#define BAD_OPCODE "error -1002\n", 1002, "the opcode is unknown"
#define BAD_CODE "error -1002\n", 1002, "the close code is not valid"
#define TOO_BIG "error -1003\n", 1009, "the message is too big"

static const struct fault faults[] = {
    {"rsv1", BYTES("\xc1"), "error -1002\n", 1002, "reserved bits are set"},
    {"rsv2", BYTES("\xa1"), "error -1002\n", 1002, "reserved bits are set"},
    {"rsv3", BYTES("\x91"), "error -1002\n", 1002, "reserved bits are set"},
    {"rsv_of_ping", BYTES("\xc9"), "error -1002\n", 1002, "reserved bits are set"},
    {"opcode_3", BYTES("\x83"), BAD_OPCODE},
    {"opcode_7", BYTES("\x07"), BAD_OPCODE},
    {"opcode_b", BYTES("\x8b"), BAD_OPCODE},
    {"opcode_f", BYTES("\x8f"), BAD_OPCODE},
    {"continuation_first", BYTES("\x80"), "error -1002\n", 1002, "there is no message to continue"},
    {"continuation_after_end", BYTES("\x01\x80" KEY "\x80\x80" KEY "\x80"),
     "text 0 \nerror -1002\n", 1002, "there is no message to continue"},
    {"text_in_fragments", BYTES("\x01\x81" KEY "a\x81"), "error -1002\n", 1002,
     "the message before is not finished"},
    {"binary_in_fragments", BYTES("\x01\x81" KEY "a\x02"), "error -1002\n", 1002,
     "the message before is not finished"},
    {"ping_no_fin", BYTES("\x09"), "error -1002\n", 1002, "a control frame is fragmented"},
    {"close_no_fin", BYTES("\x08"), "error -1002\n", 1002, "a control frame is fragmented"},
    {"unmasked", BYTES("\x81\x02"), "error -1002\n", 1002, "the frame is not masked"},
    {"unmasked_ping", BYTES("\x89\x00"), "error -1002\n", 1002, "the frame is not masked"},
    {"ping_126", BYTES("\x89\xfe"), "error -1002\n", 1002, "a control frame is too long"},
    {"close_127", BYTES("\x88\xff"), "error -1002\n", 1002, "a control frame is too long"},

    {"len_125_in_16_bits", BYTES("\x81\xfe\x00\x7d"), BAD_LEN},
    {"len_0_in_16_bits", BYTES("\x81\xfe\x00\x00"), BAD_LEN},
    {"len_65535_in_64_bits", BYTES("\x81\xff\0\0\0\0\0\0\xff\xff"), BAD_LEN},
    {"len_highest_bit", BYTES("\x81\xff\x80"), "error -1002\n", 1002,
     "the length has its highest bit set"},

    {"too_big", BYTES("\x82\xff\0\0\0\0\0\x01\x11\x71"), TOO_BIG}, /* 70001 */
    {"far_too_big", BYTES("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff"), TOO_BIG},
    {"sum_too_big", BYTES("\x02\x81" KEY "a\x80\xff\0\0\0\0\0\x01\x11\x70"), TOO_BIG},
    {"five_fragments",
     BYTES("\x02\x80" KEY "\x00\x80" KEY "\x00\x80" KEY "\x00\x80" KEY "\x80\x80"), "error -1003\n",
     1008, "the message has too many fragments"},

    {"bad_utf8", BYTES("\x81\x82" KEY "\xff\xfe"), BAD_UTF8},
    {"bad_utf8_at_once", BYTES("\x81\xfd" KEY "abc\xff"), BAD_UTF8},
    {"overlong", BYTES("\x81\x82" KEY "\xc0"), BAD_UTF8},
    {"surrogate", BYTES("\x81\x84" KEY "a\xed\xa0"), BAD_UTF8},
    {"beyond_unicode", BYTES("\x81\x84" KEY "\xf4\x90"), BAD_UTF8},
    {"utf8_cut_off", BYTES("\x81\x82" KEY "a\xce"), BAD_UTF8},
    {"utf8_cut_off_in_fragments", BYTES("\x01\x81" KEY "\xce\x80\x80" KEY), BAD_UTF8},
    {"bad_utf8_over_fragments", BYTES("\x01\x81" KEY "\xce\x00\x85" KEY "a"), BAD_UTF8},

    {"half_a_code", BYTES("\x88\x81" KEY "\x03"), "error -1002\n", 1002,
     "a close code has two bytes"},
    {"code_0", BYTES("\x88\x82" KEY "\x00\x00"), BAD_CODE},
    {"code_999", BYTES("\x88\x82" KEY "\x03\xe7"), BAD_CODE},
    {"code_1005", BYTES("\x88\x82" KEY "\x03\xed"), BAD_CODE},
    {"code_2999", BYTES("\x88\x82" KEY "\x0b\xb7"), BAD_CODE},
    {"bad_reason", BYTES("\x88\x83" KEY "\x03\xe8\xff"), "error -1004\n", 1007,
     "the close reason is not UTF-8"},
    {"reason_cut_off", BYTES("\x88\x83" KEY "\x03\xe8\xce"), "error -1004\n", 1007,
     "the close reason is not UTF-8"},
};

static void test_good_frames(void **unused)
{
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        vector_check(&ws_codec, &conf, opening, &good[i]);
}

static void test_goodbyes(void **unused)
{
    for (size_t i = 0; i < ARRAY_LEN(goodbyes); i++)
        vector_check(&ws_codec, &conf, opening, &goodbyes[i]);
}

static void test_faults(void **unused)
{
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        const struct fault *x = &faults[i];
        uint8_t reply[2 + 125] = {0x88, (uint8_t)(2 + strlen(x->reason))};
        put_u16be(reply + 2, x->code);
        memcpy(reply + 4, x->reason, strlen(x->reason));
        vector_check(
            &ws_codec, &conf, opening,
            &(struct vector){x->name, x->in, x->events, span_of(reply, 4 + strlen(x->reason))});
    }
}

/* A masked binary frame of n bytes; the caller frees it. */
static struct buf big_frame(size_t n)
{
    struct buf b = {0};
    buf_putc(&b, 0x82);
    if (n < 126) {
        buf_putc(&b, (uint8_t)(0x80 | n));
    } else if (n < 65536) {
        buf_putc(&b, 0x80 | 126);
        buf_put_u16be(&b, (uint16_t)n);
    } else {
        buf_putc(&b, 0x80 | 127);
        buf_put_u32be(&b, 0);
        buf_put_u32be(&b, (uint32_t)n);
    }
    static const uint8_t key[4] = {0xa1, 0x02, 0xc3, 0x74};
    buf_put(&b, key, 4);
    for (size_t i = 0; i < n; i++)
        buf_putc(&b, (uint8_t)((i * 31 + i / 256) ^ key[i % 4]));
    return b;
}

/* The lengths around each form of the head: §5.2. */
static void test_lengths(void **unused)
{
    static const size_t lengths[] = {1, 125, 126, 127, 65535, 65536, 70000};
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        struct buf in = big_frame(lengths[i]);
        for (unsigned how = 0; how < 8; how++) {
            struct feed f;
            feed_init(&f, &ws_codec, &conf);
            feed_bytes(&f, opening);
            buf_clear(&f.events);
            struct feed whole;
            feed_init(&whole, &tcp_codec, &conf);
            struct buf plain = {0};
            for (size_t j = 0; j < lengths[i]; j++)
                buf_putc(&plain, (uint8_t)(j * 31 + j / 256));
            feed_bytes(&whole, buf_span(&plain));
            feed_cut(&f, buf_span(&in), how);
            /* The raw codec writes "text …" where this one writes "binary …". */
            assert_string_equal(feed_events(&f) + strlen("binary"),
                                feed_events(&whole) + strlen("text"));
            buf_fini(&plain);
            feed_fini(&whole);
            feed_fini(&f);
        }
        buf_fini(&in);
    }
}

static void test_ping_of_125(void **unused)
{
    uint8_t in[6 + 125] = {0x89, 0x80 | 125};
    memset(in + 6, 'p', 125);
    uint8_t reply[2 + 125] = {0x8a, 125};
    memset(reply + 2, 'p', 125);
    vector_check(&ws_codec, &conf, opening,
                 &(struct vector){"ping_125", span_of(in, sizeof(in)), "control\n",
                                  span_of(reply, sizeof(reply))});
}

static void expect_head(size_t payload_len, bool is_binary, struct span head)
{
    uint8_t *payload = mem_zalloc(payload_len + 1);
    uint8_t *to = mem_alloc(payload_len + CODEC_OVERHEAD_MAX);
    size_t n = ws_codec.encode(to, span_of(payload, payload_len), is_binary);
    assert_int_equal(n, head.len + payload_len);
    assert_memory_equal(to, head.at, head.len);
    assert_memory_equal(to + head.len, payload, payload_len);
    mem_free(payload);
    mem_free(to);
}

static void test_encode(void **unused)
{
    uint8_t to[32];
    assert_int_equal(ws_codec.encode(to, span_str("Hello"), false), 7);
    assert_memory_equal(to, "\x81\x05Hello", 7); /* §5.7 */
    expect_head(0, false, span_of("\x81\x00", 2));
    expect_head(0, true, span_of("\x82\x00", 2));
    expect_head(125, true, span_of("\x82\x7d", 2));
    expect_head(126, true, span_of("\x82\x7e\x00\x7e", 4));
    expect_head(65535, false, span_of("\x81\x7e\xff\xff", 4));
    expect_head(65536, false, span_of("\x81\x7f\0\0\0\0\0\x01\0\0", 10));
}

static void test_idle_state_is_tiny(void **unused)
{
    assert_true(ws_codec.state_bytes <= 40);
}

/* Whole frames cost no memory; what is lent is given back by the next call, also an empty one. */
static void test_allocations(void **unused)
{
    uint64_t state[5] = {0};
    struct codec_event ev;
    struct buf reply = {0};
    uint8_t hello[] = HANDSHAKE;
    assert_int_equal(ws_codec.decode(state, &conf, hello, sizeof(hello) - 1, &ev, &reply),
                     sizeof(hello) - 1);
    assert_int_equal(ws_codec.decode(state, &conf, hello, 0, &ev, &reply), 0);
    assert_int_equal(state[0], 0); /* the request is gone */

    struct allocs mark = allocs_mark();
    for (int i = 0; i < 1000; i++) {
        uint8_t frame[] = "\x81\x85" RFC_KEY "\x7f\x9f\x4d\x51\x58";
        assert_int_equal(ws_codec.decode(state, &conf, frame, 11, &ev, &reply), 11);
        assert_ptr_equal(ev.payload.at, frame + 6); /* not copied */
    }
    assert_int_equal(allocs_since(mark), 0);

    /* 70,000 bytes are announced: no memory for what did not come, then twice as much each time. */
    struct buf in = big_frame(70000);
    mark = allocs_mark();
    assert_int_equal(ws_codec.decode(state, &conf, in.at, 14, &ev, &reply), 14);
    assert_int_equal(allocs_since(mark), 0);
    for (size_t i = 14; i < in.len; i++)
        assert_int_equal(ws_codec.decode(state, &conf, in.at + i, 1, &ev, &reply), 1);
    assert_int_equal(ev.payload.len, 70000);
    assert_int_equal(allocs_since(mark), 18); /* 2^17 is the first power of two beyond 70,000 */
    assert_int_equal(ws_codec.decode(state, &conf, in.at, 0, &ev, &reply), 0);
    assert_int_equal(state[0], 0);

    /* Twice 40,000 bytes would be more than the 70,000 that can still come. */
    assert_int_equal(ws_codec.decode(state, &conf, in.at, 40014, &ev, &reply), 40014);
    assert_int_equal(ws_codec.decode(state, &conf, in.at + 40014, 1, &ev, &reply), 1);
    assert_in_range(malloc_usable_size((void *)(uintptr_t)state[0]), 70000, 70100);
    buf_fini(&in);
    buf_fini(&reply);
    ws_codec.fini(state);
}

/* fini() in every phase: the leak checker is the judge. */
static void test_fini_in_the_middle(void **unused)
{
    static const struct span middles[] = {BYTES("GET / HT"), BYTES(HANDSHAKE),
                                          BYTES(HANDSHAKE "\x82\x82" KEY "a"),
                                          BYTES(HANDSHAKE "\x02\x81" KEY "a")};
    for (size_t i = 0; i < ARRAY_LEN(middles); i++) {
        struct feed f;
        feed_init(&f, &ws_codec, &conf);
        feed_bytes(&f, middles[i]);
        assert_int_equal(f.error, 0);
        feed_fini(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_frames),
        cmocka_unit_test(test_goodbyes),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_ping_of_125),
        cmocka_unit_test(test_encode),
        cmocka_unit_test(test_idle_state_is_tiny),
        cmocka_unit_test(test_allocations),
        cmocka_unit_test(test_fini_in_the_middle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* permessage-deflate through the WebSocket codec: the examples of RFC 7692 §7.2.3 byte for byte,
 * limits, round trips, memory. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <zlib.h>

#include <cmocka.h>

#include <gw/err.h>

#include "base/mem.h"
#include "proto/ws.h"
#include "support/allocs.h"
#include "support/feed.h"
#include "support/vector.h"

#define REQUEST(offer)                                                                             \
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"                   \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"                 \
    "Sec-WebSocket-Extensions: " offer "\r\n\r\n"
#define KEY "\0\0\0\0"

enum { LIMIT = 70000 };

static const struct ws_deflate_conf keeping = {
    .window_bits = 15, .mem_level = 8, .keeps_ours = true, .keeps_theirs = true};
static const struct ws_deflate_conf forgetful = {.window_bits = 15, .mem_level = 8};

static const struct span opening = BYTES(REQUEST("permessage-deflate"));

static struct codec_conf conf_of(const struct ws_deflate_conf *c)
{
    return (struct codec_conf){.message_max_bytes = LIMIT,
                               .head_max_bytes = 1024,
                               .fragments_max_n = 8,
                               .deflate = ws_deflate_new(c)};
}

/* ---- messages in ---- */

static const struct vector good[] = {
    {"hello", BYTES("\xc1\x87" KEY "\xf2\x48\xcd\xc9\xc9\x07\x00"), "text 5 Hello\n", {0}},
    {"fragments",
     BYTES("\x41\x83" KEY "\xf2\x48\xcd"
           "\x80\x84" KEY "\xc9\xc9\x07\x00"),
     "text 5 Hello\n",
     {0}},
    {"ping_between",
     BYTES("\x41\x83" KEY "\xf2\x48\xcd"
           "\x89\x80" KEY "\x80\x84" KEY "\xc9\xc9\x07\x00"),
     "control\ntext 5 Hello\n", BYTES("\x8a\x00")},
    {"stored_block",
     BYTES("\xc1\x8b" KEY "\x00\x05\x00\xfa\xff"
           "Hello\x00"),
     "text 5 Hello\n",
     {0}},
    {"last_block", BYTES("\xc1\x88" KEY "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"), "text 5 Hello\n", {0}},
    {"two_blocks",
     BYTES("\xc1\x8d" KEY "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"),
     "text 5 Hello\n",
     {0}},
    {"empty", BYTES("\xc1\x81" KEY "\x00"), "text 0 \n", {0}},
    {"no_byte", BYTES("\xc1\x80" KEY), "text 0 \n", {0}},
    {"empty_fragments",
     BYTES("\x41\x80" KEY "\x00\x87" KEY "\xf2\x48\xcd\xc9\xc9\x07\x00\x80\x80" KEY),
     "text 5 Hello\n",
     {0}},
    {"plain_too",
     BYTES("\x81\x82" KEY "hi"
           "\xc2\x87" KEY "\xf2\x48\xcd\xc9\xc9\x07\x00"
           "\x82\x81" KEY "!"),
     "text 2 hi\nbinary 5 Hello\nbinary 1 !\n",
     {0}},
};

/* §7.2.3.2: the second message looks back to the first. */
static const struct vector takeover = {"takeover",
                                       BYTES("\xc1\x87" KEY "\xf2\x48\xcd\xc9\xc9\x07\x00"
                                             "\xc1\x85" KEY "\xf2\x00\x11\x00\x00"),
                                       "text 5 Hello\ntext 5 Hello\n",
                                       {0}};
/* The same behind a block that was marked as the last one. */
static const struct vector beyond_last = {"beyond_last",
                                          BYTES("\xc1\x88" KEY "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"
                                                "\xc1\x85" KEY "\xf2\x00\x11\x00\x00"),
                                          "text 5 Hello\ntext 5 Hello\n",
                                          {0}};

struct fault {
    const char *name;
    struct span in;
    const char *events;
    uint16_t code;
    const char *reason;
};

#define RSV "error -1002\n", 1002, "reserved bits are set"
#define BROKEN "error -1004\n", 1007, "the compressed data is broken"
#define BAD_UTF8 "error -1004\n", 1007, "the text is not UTF-8"

static const struct fault faults[] = {
    /* RFC 7692 §6: RSV1 stands on the first frame of a message only */
    {"rsv1_on_continuation", BYTES("\x41\x81" KEY "\xf2\x40"), RSV},
    {"rsv1_on_plain_continuation", BYTES("\x01\x81" KEY "a\xc0"), RSV},
    {"rsv1_on_ping", BYTES("\xc9"), RSV},
    {"rsv1_on_pong", BYTES("\xca"), RSV},
    {"rsv1_on_close", BYTES("\xc8"), RSV},
    {"rsv2", BYTES("\xa1"), RSV},
    {"rsv3", BYTES("\x91"), RSV},
    {"rsv1_and_2", BYTES("\xe1"), RSV},
    {"block_type_3", BYTES("\xc1\x81" KEY "\xff"), BROKEN},
    {"too_far_back", BYTES("\xc1\x85" KEY "\xf2\x00\x11\x00\x00"), BROKEN},
    {"tail_was_left_in", BYTES("\xc1\x8b" KEY "\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff"),
     BROKEN},
    {"ends_inside_block", BYTES("\xc1\x83" KEY "\xf2\x48\xcd"), BROKEN},
    /* two bytes ce 00 as text: stored, so that they can be read here */
    {"utf8", BYTES("\x41\x87" KEY "\x00\x02\x00\xfd\xff\xce\x00"), BAD_UTF8},
    {"utf8_is_not_whole", BYTES("\xc1\x87" KEY "\x00\x01\x00\xfe\xff\xce\x00"), BAD_UTF8},
};

static void test_good_messages(void **unused)
{
    static const struct ws_deflate_conf half[] = {
        {.window_bits = 15, .mem_level = 8, .keeps_ours = true},
        {.window_bits = 15, .mem_level = 8, .keeps_theirs = true}};
    const struct ws_deflate_conf *confs[] = {&keeping, &forgetful, &half[0], &half[1]};
    for (size_t k = 0; k < ARRAY_LEN(confs); k++) {
        struct codec_conf conf = conf_of(confs[k]);
        for (size_t i = 0; i < ARRAY_LEN(good); i++)
            vector_check(&ws_codec, &conf, opening, &good[i]);
        ws_deflate_free(conf.deflate);
    }
}

static void test_takeover(void **unused)
{
    struct codec_conf conf = conf_of(&keeping);
    vector_check(&ws_codec, &conf, opening, &takeover);
    vector_check(&ws_codec, &conf, opening, &beyond_last);
    ws_deflate_free(conf.deflate);

    /* Without takeover there is nothing to look back to. */
    conf = conf_of(&forgetful);
    struct feed f;
    feed_init(&f, &ws_codec, &conf);
    feed_bytes(&f, opening);
    feed_bytes(&f, takeover.in);
    assert_string_equal(feed_events(&f), "open GET /\ntext 5 Hello\nerror -1004\n");
    feed_fini(&f);
    ws_deflate_free(conf.deflate);
}

static void test_faults(void **unused)
{
    struct codec_conf conf = conf_of(&keeping);
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        uint8_t goodbye[CODEC_CLOSE_MAX];
        size_t n = ws_put_close(goodbye, faults[i].code, span_str(faults[i].reason));
        struct vector v = {faults[i].name, faults[i].in, faults[i].events, span_of(goodbye, n)};
        vector_check(&ws_codec, &conf, opening, &v);
    }
    ws_deflate_free(conf.deflate);
}

static void test_rsv1_needs_agreement(void **unused)
{
    static const struct span plain = BYTES(REQUEST("x-other"));
    struct codec_conf conf = conf_of(&keeping);
    uint8_t goodbye[CODEC_CLOSE_MAX];
    size_t n = ws_put_close(goodbye, 1002, span_str("reserved bits are set"));
    vector_check(
        &ws_codec, &conf, plain,
        &(struct vector){"not_agreed", BYTES("\xc1"), "error -1002\n", span_of(goodbye, n)});
    ws_deflate_free(conf.deflate);
}

static void test_malformed_offer(void **unused)
{
    static const struct span bad = BYTES(REQUEST("permessage-deflate; ="));
    struct codec_conf conf = conf_of(&keeping);
    struct feed f;
    feed_init(&f, &ws_codec, &conf);
    feed_bytes(&f, bad);
    assert_string_equal(feed_events(&f), "error -1002\n");
    assert_memory_equal(f.replies.at, "HTTP/1.1 400 ", 13);
    feed_fini(&f);
    ws_deflate_free(conf.deflate);
}

/* ---- a client made of zlib alone ---- */

/* One masked frame (key of zeros) with the deflated bytes, as RFC 7692 §7.2.1 makes them. */
static void put_deflated(struct buf *out, z_stream *z, struct span payload, bool is_binary)
{
    uLong room = deflateBound(z, (uLong)payload.len) + 64;
    uint8_t *at = mem_alloc(room);
    z->next_in = (Bytef *)(uintptr_t)payload.at;
    z->avail_in = (uInt)payload.len;
    z->next_out = at;
    z->avail_out = (uInt)room;
    assert_int_equal(deflate(z, Z_SYNC_FLUSH), Z_OK);
    size_t n = room - z->avail_out - 4;
    uint8_t head[WS_HEAD_MAX];
    size_t head_len = ws_put_head(head, is_binary ? WS_BINARY : WS_TEXT, n);
    head[0] |= WS_RSV1;
    head[1] |= 0x80;
    buf_put(out, head, head_len);
    buf_put(out, KEY, 4);
    buf_put(out, at, n);
    mem_free(at);
}

/* A frame of so many zeros. */
static void put_zeros(struct buf *out, size_t len)
{
    z_stream z = {0};
    uint8_t *zeros = mem_zalloc(len);
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    put_deflated(out, &z, span_of(zeros, len), true);
    deflateEnd(&z);
    mem_free(zeros);
}

/* What is smaller on the wire than the limit and a thousand times that when inflated costs no more
 * memory than the limit. */
static void test_bomb(void **unused)
{
    struct codec_conf conf = conf_of(&forgetful);
    struct buf in = {0};
    put_zeros(&in, 64 << 20);
    assert_in_range(in.len, 1000, LIMIT);

    uint8_t goodbye[CODEC_CLOSE_MAX];
    size_t n = ws_put_close(goodbye, 1009, span_str("the message is too big"));
    struct vector v = {"bomb", buf_span(&in), "error -1003\n", span_of(goodbye, n)};
    vector_check(&ws_codec, &conf, opening, &v);
    buf_fini(&in);
    ws_deflate_free(conf.deflate);
}

static void expect_limit(size_t len, const char *events)
{
    struct codec_conf conf = conf_of(&forgetful);
    struct buf in = {0};
    put_zeros(&in, len);
    struct feed f;
    feed_init(&f, &ws_codec, &conf);
    feed_bytes(&f, opening);
    buf_clear(&f.events);
    feed_bytes(&f, buf_span(&in));
    assert_memory_equal(feed_events(&f), events, strlen(events));
    feed_fini(&f);
    buf_fini(&in);
    ws_deflate_free(conf.deflate);
}

static void test_limit_is_exact(void **unused)
{
    expect_limit(LIMIT - 1, "binary 69999 ");
    expect_limit(LIMIT, "binary 70000 ");
    expect_limit(LIMIT + 1, "error -1003\n");
}

/* Empty blocks bring nothing out, so that only their own number can end them. */
static void test_endless_blocks(void **unused)
{
    struct codec_conf conf = conf_of(&forgetful);
    static const uint8_t block[] = {0x00, 0x00, 0x00, 0xff, 0xff};
    struct buf in = {0};
    buf_put(&in, "\xc2\xff\0\0\0\0\0\x01\x86\xa0" KEY, 14); /* 100,000 bytes */
    while (in.len < 14 + 100000)
        buf_put(&in, block, sizeof(block));
    struct feed f;
    feed_init(&f, &ws_codec, &conf);
    feed_bytes(&f, opening);
    feed_bytes(&f, buf_span(&in));
    assert_string_equal(feed_events(&f), "open GET /\nerror -1003\n");
    feed_fini(&f);
    buf_fini(&in);
    ws_deflate_free(conf.deflate);
}

/* ---- messages out ---- */

/* Text that compresses, different for every seed. */
static void put_text(struct buf *out, size_t len, unsigned seed)
{
    static const char *const words[] = {"the ", "room ", "says ", "hello ", "to ", "all ", "who "};
    buf_clear(out);
    while (out->len < len) {
        seed = seed * 1103515245 + 12345;
        buf_puts(out, words[(seed >> 16) % ARRAY_LEN(words)]);
        if ((seed >> 24) % 5 == 0)
            buf_printf(out, "%u ", seed);
    }
    out->len = len;
}

/* Skips the head of a frame from a server. */
static struct span body_of(struct span frame)
{
    size_t n = frame.at[1] < 126 ? 2 : frame.at[1] == 126 ? 4 : 10;
    return span_skip(frame, n);
}

/* Inflates one byte of output at a time, so that nothing but the window can be looked back to. */
static void expect_inflated(z_stream *z, struct span body, struct span payload)
{
    static const uint8_t tail[] = {0, 0, 0xff, 0xff};
    struct buf in = {0};
    buf_put_span(&in, body);
    buf_put(&in, tail, sizeof(tail));
    z->next_in = in.at;
    z->avail_in = (uInt)in.len;
    for (size_t i = 0; i < payload.len; i++) {
        uint8_t byte = 0;
        z->next_out = &byte;
        z->avail_out = 1;
        assert_int_equal(inflate(z, Z_SYNC_FLUSH), Z_OK);
        assert_int_equal(z->avail_out, 0);
        assert_int_equal(byte, payload.at[i]);
    }
    uint8_t more;
    z->next_out = &more;
    z->avail_out = 1;
    int rc = inflate(z, Z_SYNC_FLUSH);
    assert_true(rc == Z_OK || rc == Z_BUF_ERROR);
    assert_int_equal(z->avail_out, 1);
    assert_int_equal(z->avail_in, 0);
    buf_fini(&in);
}

static void expect_readable(const struct ws_deflate_conf *c, struct ws_deflate_terms terms,
                            size_t len)
{
    struct ws_deflate *d = ws_deflate_new(c);
    struct ws_deflate_own *own = NULL;
    struct buf text = {0};
    z_stream z = {0};
    assert_int_equal(inflateInit2(&z, -(int)terms.server_bits), Z_OK);
    for (unsigned seed = 1; seed <= 5; seed++) {
        put_text(&text, len, seed);
        uint8_t *to = mem_alloc(len + CODEC_OVERHEAD_MAX);
        size_t n = ws_deflate_frame(d, &own, terms, to, buf_span(&text), false);
        assert_in_range(n, 10, len);
        assert_int_equal(to[0], 0xc1);
        expect_inflated(&z, body_of(span_of(to, n)), buf_span(&text));
        if (!terms.keeps_ours)
            inflateReset(&z);
        mem_free(to);
    }
    assert_true(terms.keeps_ours == (own != NULL));
    inflateEnd(&z);
    ws_deflate_own_free(own);
    ws_deflate_free(d);
    buf_fini(&text);
}

/* Every window size, 2^8 among them: a peer with just that window can read what we send. */
static void test_windows(void **unused)
{
    for (uint8_t bits = WS_WINDOW_BITS_MIN; bits <= WS_WINDOW_BITS_MAX; bits++) {
        struct ws_deflate_terms terms = {.server_bits = bits, .client_bits = 15};
        expect_readable(&forgetful, terms, 200);
        expect_readable(&forgetful, terms, 80000);
        terms.keeps_ours = true;
        expect_readable(&keeping, terms, 3000);
    }
}

static void test_rfc_example_out(void **unused)
{
    struct ws_deflate *d = ws_deflate_new(&keeping);
    struct ws_deflate_own *own = NULL;
    struct ws_deflate_terms terms = {.server_bits = 15, .client_bits = 15, .keeps_ours = true};
    uint8_t to[64];
    /* Five bytes become seven: plain is smaller, and the context must not have seen them. */
    assert_int_equal(ws_deflate_frame(d, &own, terms, to, span_str("Hello"), false), 0);
    static const char text[] = "Hello Hello Hello Hello";
    struct span payload = span_str(text);
    size_t n = ws_deflate_frame(d, &own, terms, to, payload, true);
    assert_in_range(n, 4, payload.len - 1);
    assert_int_equal(to[0], 0xc2);
    z_stream z = {0};
    assert_int_equal(inflateInit2(&z, -15), Z_OK);
    expect_inflated(&z, body_of(span_of(to, n)), payload);
    inflateEnd(&z);
    ws_deflate_own_free(own);
    ws_deflate_free(d);
}

static void test_min_bytes(void **unused)
{
    struct ws_deflate_conf c = forgetful;
    c.min_bytes = 100;
    struct ws_deflate *d = ws_deflate_new(&c);
    struct ws_deflate_own *own = NULL;
    struct ws_deflate_terms terms = {.server_bits = 15, .client_bits = 15};
    struct buf text = {0};
    uint8_t to[200];
    put_text(&text, 100, 1);
    memset(text.at, 'a', 100);
    assert_int_equal(ws_deflate_frame(d, &own, terms, to, span_of(text.at, 99), false), 0);
    assert_in_range(ws_deflate_frame(d, &own, terms, to, span_of(text.at, 100), false), 1, 30);
    buf_fini(&text);
    ws_deflate_free(d);
}

/* Warm, without takeover: no allocation per message, and nothing held between them. */
static void test_allocations(void **unused)
{
    struct codec_conf conf = conf_of(&forgetful);
    uint64_t state[5] = {0};
    struct codec_event ev;
    struct buf reply = {0};
    struct buf hello = {0};
    buf_put_span(&hello, opening);
    assert_true(ws_codec.decode(state, &conf, hello.at, hello.len, &ev, &reply) > 0);
    assert_int_equal(ws_codec.decode(state, &conf, hello.at, 0, &ev, &reply), 0);
    struct allocs mark = allocs_mark();
    for (int i = 0; i < 1000; i++) {
        if (i == 1) /* the first one brought the context, which the listener keeps */
            mark = allocs_mark();
        uint8_t frame[] = "\xc1\x87" KEY "\xf2\x48\xcd\xc9\xc9\x07\x00";
        assert_int_equal(ws_codec.decode(state, &conf, frame, 13, &ev, &reply), 13);
        assert_int_equal(ev.payload.len, 5);
        assert_int_equal(ws_codec.decode(state, &conf, frame, 0, &ev, &reply), 0);
        assert_int_equal(state[0], 0);
        assert_int_equal(state[1], 0);
    }
    assert_int_equal(allocs_since(mark), 999); /* the message itself */
    assert_int_equal(ws_codec.variant(state), 15);
    buf_fini(&hello);
    buf_fini(&reply);
    ws_codec.fini(state);
    ws_deflate_free(conf.deflate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_messages),   cmocka_unit_test(test_takeover),
        cmocka_unit_test(test_faults),          cmocka_unit_test(test_rsv1_needs_agreement),
        cmocka_unit_test(test_malformed_offer), cmocka_unit_test(test_bomb),
        cmocka_unit_test(test_limit_is_exact),  cmocka_unit_test(test_endless_blocks),
        cmocka_unit_test(test_windows),         cmocka_unit_test(test_rfc_example_out),
        cmocka_unit_test(test_min_bytes),       cmocka_unit_test(test_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Tests of the generator's own parts: a wrong instrument would praise a wrong server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "bench/adapter.h"
#include "bench/hist.h"
#include "bench/records.h"
#include "bench/stamp.h"
#include "bench/ws_client.h"

static void hist_is_exact_when_small(void **state)
{
    static struct hist h;
    for (uint64_t v = 1; v <= 100; v++)
        hist_add(&h, v);
    assert_int_equal(hist_quantile(&h, 0.50), 50);
    assert_int_equal(hist_quantile(&h, 0.99), 99);
    assert_int_equal(hist_quantile(&h, 1.00), 100);
    assert_int_equal(h.max, 100);
}

static void hist_is_within_two_percent(void **state)
{
    for (uint64_t v = 1; v < UINT64_C(1) << 40; v = v * 5 / 4 + 1) {
        struct hist *h = calloc(1, sizeof *h);
        assert_non_null(h);
        hist_add(h, v);
        hist_add(h, UINT64_C(1) << 41); /* so that the maximum does not cap the answer */
        uint64_t told = hist_quantile(h, 0.5);
        free(h);
        assert_in_range(told, v, v + v / 50);
    }
}

static void hist_of_nothing(void **state)
{
    static const struct hist h;
    assert_int_equal(hist_quantile(&h, 0.99), 0);
}

static void stamp_comes_back(void **state)
{
    static const struct stamp all[] = {{STAMP_COUNTED, 0, 0, 0},
                                       {STAMP_COUNTED, 0x1234, 0x89abcdef, 0x01234567},
                                       {STAMP_PROBE, UINT16_MAX, UINT32_MAX, UINT32_MAX}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        uint8_t text[64];
        memset(text, '"', sizeof text);
        stamp_write(text + 7, &all[i]);
        assert_int_equal(stamp_find(text, sizeof text), 7);
        struct stamp s = stamp_read(text + 7);
        assert_int_equal(s.kind, all[i].kind);
        assert_int_equal(s.sender, all[i].sender);
        assert_int_equal(s.number, all[i].number);
        assert_int_equal(s.due_us, all[i].due_us);
        assert_int_equal(text[6], '"');
        assert_int_equal(text[7 + STAMP_LEN], '"');
    }
}

static void stamp_cut_off_is_none(void **state)
{
    assert_true(stamp_find((const uint8_t *)"xxgwbmAAAA", 10) == STAMP_NONE);
    assert_true(stamp_find((const uint8_t *)"nothing here", 12) == STAMP_NONE);
}

/* RFC 6455 §5.7: a frame is decoded whole, and not before its last byte is there. */
static void frame_needs_its_last_byte(void **state)
{
    static const size_t lengths[] = {0, 1, 125, 126, 65535, 65536};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        size_t len = lengths[i];
        uint8_t *bytes = calloc(1, len + 10);
        assert_non_null(bytes);
        size_t head = len < 126 ? 2 : len < 65536 ? 4 : 10;
        bytes[0] = 0x81;
        bytes[1] = (uint8_t)(len < 126 ? len : len < 65536 ? 126 : 127);
        for (size_t k = 2; k < head; k++)
            bytes[k] = (uint8_t)((uint64_t)len >> 8 * (head - 1 - k));
        struct ws_client_frame f;
        for (size_t cut = 0; cut < head + len; cut += cut < 16 ? 1 : 4099)
            assert_int_equal(ws_client_get(bytes, cut, &f), 0);
        assert_int_equal(ws_client_get(bytes, head + len, &f), head + len);
        assert_int_equal(f.len, len);
        assert_ptr_equal(f.payload, bytes + head);
        free(bytes);
    }
}

static void masked_or_reserved_is_refused(void **state)
{
    struct ws_client_frame f;
    uint8_t masked[] = {0x81, 0x81, 1, 2, 3, 4, 5};
    uint8_t reserved[] = {0xa1, 0x01, 'x'};
    assert_int_equal(ws_client_get(masked, sizeof masked, &f), -1);
    assert_int_equal(ws_client_get(reserved, sizeof reserved, &f), -1);
}

static void sent_frame_is_masked(void **state)
{
    struct outbuf out = {0};
    char text[300];
    memset(text, 'a', sizeof text);
    ws_client_put(&out, WS_TEXT, text, sizeof text);
    assert_int_equal(outbuf_pending(&out), 8 + sizeof text);
    assert_int_equal(out.at[0], 0x81);
    assert_int_equal(out.at[1], 0xfe);
    assert_int_equal(out.at[2] << 8 | out.at[3], sizeof text);
    for (size_t i = 0; i < sizeof text; i++)
        assert_int_equal(out.at[8 + i] ^ out.at[4 + i % 4], 'a');
    outbuf_free(&out);
}

static void only_the_right_answer_is_a_handshake(void **state)
{
    static const char good[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                               "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    static const char other_key[] = "HTTP/1.1 101 Switching Protocols\r\n"
                                    "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n";
    static const char refusal[] = "HTTP/1.1 403 Forbidden\r\n\r\n";
    assert_int_equal(ws_client_check(good, sizeof good - 1), sizeof good - 1);
    assert_int_equal(ws_client_check(good, sizeof good - 2), 0);
    assert_int_equal(ws_client_check(other_key, sizeof other_key - 1), -1);
    assert_int_equal(ws_client_check(refusal, sizeof refusal - 1), -1);
}

static void nats_units_end_where_they_end(void **state)
{
    static const char bytes[] = "PING\r\nMSG room.1 1 5\r\nhello\r\nMSG a 1 0\r\n\r\n";
    static const struct {
        const char *payload;
        size_t unit;
    } expected[] = {{"PING\r\n", 6}, {"hello", 23}, {"", 13}};
    const struct adapter *nats = adapter_find("nats");
    size_t at = 0;
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        const uint8_t *payload;
        size_t len;
        const uint8_t *unit = (const uint8_t *)bytes + at;
        for (size_t cut = 0; cut < expected[i].unit; cut++)
            assert_int_equal(nats->take(unit, cut, &payload, &len), 0);
        assert_int_equal(nats->take(unit, sizeof bytes - 1 - at, &payload, &len), expected[i].unit);
        assert_int_equal(len, strlen(expected[i].payload));
        assert_memory_equal(payload, expected[i].payload, len);
        at += expected[i].unit;
    }
    assert_int_equal(at, sizeof bytes - 1);
}

/* RFC 8446 §5.2: two records, of 3 and of 300 bytes of content. */
static void records_end_where_they_end(void **state)
{
    uint8_t bytes[5 + 20 + 5 + 317] = {23, 3, 3, 0, 20};
    static const uint8_t second[] = {23, 3, 3, 317 >> 8, 317 & 255};
    memcpy(bytes + 25, second, sizeof second);
    for (size_t step = 1; step <= sizeof bytes; step++) {
        struct records r = {0};
        ssize_t content = 0;
        for (size_t at = 0; at < sizeof bytes; at += step) {
            size_t left = sizeof bytes - at;
            content += records_take(&r, bytes + at, left < step ? left : step);
            assert_int_equal(content, at + step >= sizeof bytes ? 303 : at + step >= 25 ? 3 : 0);
        }
    }
}

static void what_is_no_encrypted_record_is_refused(void **state)
{
    static const uint8_t all[][5] = {{22, 3, 3, 0, 99},  /* a handshake in the clear */
                                     {23, 3, 1, 0, 99},  /* an old version */
                                     {23, 3, 3, 0, 16},  /* no room for type and tag */
                                     {23, 3, 3, 65, 1}}; /* longer than a record may be */
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct records r = {0};
        assert_int_equal(records_take(&r, all[i], sizeof all[i]), -1);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(hist_is_exact_when_small),
        cmocka_unit_test(hist_is_within_two_percent),
        cmocka_unit_test(hist_of_nothing),
        cmocka_unit_test(stamp_comes_back),
        cmocka_unit_test(stamp_cut_off_is_none),
        cmocka_unit_test(frame_needs_its_last_byte),
        cmocka_unit_test(masked_or_reserved_is_refused),
        cmocka_unit_test(sent_frame_is_masked),
        cmocka_unit_test(only_the_right_answer_is_a_handshake),
        cmocka_unit_test(nats_units_end_where_they_end),
        cmocka_unit_test(records_end_where_they_end),
        cmocka_unit_test(what_is_no_encrypted_record_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

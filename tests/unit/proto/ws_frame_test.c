/* WebSocket frames in parts: heads from clients and servers, masks, close codes. RFC 6455 §5, §7.4
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/codec.h"
#include "proto/ws.h"

/* Every length and start, against the definition: octet i is XORed with key octet i mod 4 (§5.3).
 */
static void test_mask(void **unused)
{
    static const uint8_t key[4] = {0x37, 0xfa, 0x21, 0x3d};
    for (size_t len = 0; len < 150; len++)
        for (size_t cut = 0; cut <= len; cut += len < 40 ? 1 : 7) {
            uint8_t bytes[160];
            uint8_t turning[4];
            memcpy(turning, key, 4);
            memset(bytes, 0x5a, sizeof(bytes));
            ws_mask(bytes + 3, cut, turning);
            ws_mask(bytes + 3 + cut, len - cut, turning);
            for (size_t i = 0; i < sizeof(bytes); i++) {
                bool is_inside = i >= 3 && i < 3 + len;
                assert_int_equal(bytes[i], is_inside ? 0x5a ^ key[(i - 3) % 4] : 0x5a);
            }
            for (size_t i = 0; i < 4; i++)
                assert_int_equal(turning[i], key[(len + i) % 4]);
        }
}

/* One byte beyond ASCII, wherever it is, is told. */
static void test_mask_tells_ascii(void **unused)
{
    for (size_t len = 0; len < 150; len++)
        for (size_t odd = 0; odd <= len; odd++) {
            uint8_t key[4] = {0x37, 0xfa, 0x21, 0x8d};
            uint8_t bytes[150];
            memset(bytes, 0x7f, sizeof(bytes));
            bytes[odd % sizeof(bytes)] = 0x80; /* at len it is outside */
            for (size_t i = 0; i < sizeof(bytes); i++)
                bytes[i] ^= key[i % 4];
            assert_int_equal(ws_mask(bytes, len, key), odd == len);
        }
}

/* §7.4.1, §7.4.2, and 1012 to 1014 of the IANA registry. */
static void test_close_codes(void **unused)
{
    static const uint16_t yes[] = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010,
                                   1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999};
    static const uint16_t no[] = {0,    1,    999,  1004, 1005, 1006, 1015,
                                  1016, 1100, 2000, 2999, 5000, 65535};
    for (size_t i = 0; i < ARRAY_LEN(yes); i++)
        assert_int_equal(ws_is_close_code(yes[i]) ? yes[i] : 0, yes[i]);
    for (size_t i = 0; i < ARRAY_LEN(no); i++)
        assert_int_equal(ws_is_close_code(no[i]) ? no[i] : -1, -1);
}

/* The length of the head is told as soon as the payload's length is there, before the key. */
static void test_read_head(void **unused)
{
    static const uint8_t small[] = "\x01\x83"
                                   "abcd";
    static const uint8_t medium[] = "\x82\xfe\x01\x02"
                                    "abcd";
    static const uint8_t large[] = "\x80\xff\0\0\0\x01\x02\x03\x04\x05"
                                   "abcd";
    static const struct {
        const uint8_t *at;
        size_t known_at, head_len;
        bool is_message_open, is_final;
        uint8_t opcode;
        uint64_t payload_len;
    } heads[] = {
        {small, 2, 6, false, false, WS_TEXT, 3},
        {medium, 4, 8, false, true, WS_BINARY, 0x102},
        {large, 10, 14, true, true, WS_CONTINUATION, 0x102030405},
    };
    for (size_t i = 0; i < ARRAY_LEN(heads); i++)
        for (size_t len = 0; len <= heads[i].head_len; len++) {
            struct ws_head h = {0};
            const char *wrong;
            size_t n = ws_read_head(
                &h, heads[i].at, len,
                (struct ws_context){.is_message_open = heads[i].is_message_open}, &wrong);
            assert_null(wrong);
            assert_int_equal(n, len < heads[i].known_at ? 0 : heads[i].head_len);
            if (len < heads[i].head_len)
                continue;
            assert_int_equal(h.opcode, heads[i].opcode);
            assert_int_equal(h.is_final, heads[i].is_final);
            assert_int_equal(h.payload_len, heads[i].payload_len);
            assert_memory_equal(h.key, "abcd", WS_KEY);
        }
}

static void test_put_close(void **unused)
{
    uint8_t to[CODEC_CLOSE_MAX];
    assert_int_equal(ws_put_close(to, 1000, span_str("")), 4);
    assert_memory_equal(to, "\x88\x02\x03\xe8", 4);
    assert_int_equal(ws_put_close(to, 1013, span_str("slow")), 8);
    assert_memory_equal(to, "\x88\x06\x03\xf5slow", 8);
    assert_int_equal(ws_put_close(to, 1005, span_str("unsaid")), 2);
    assert_memory_equal(to, "\x88\x00", 2);

    char reason[200];
    memset(reason, 'r', sizeof(reason));
    assert_int_equal(ws_put_close(to, 1000, span_of(reason, 124)), 2 + 125);
    assert_int_equal(to[1], 125);
    memcpy(reason + 122, "\xe4\xbd\xa0", 3); /* bytes 122 to 124: it does not fit into 123 */
    assert_int_equal(ws_put_close(to, 1000, span_of(reason, 200)), 2 + 2 + 122);
    assert_int_equal(to[1], 124);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mask),        cmocka_unit_test(test_mask_tells_ascii),
        cmocka_unit_test(test_close_codes), cmocka_unit_test(test_read_head),
        cmocka_unit_test(test_put_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

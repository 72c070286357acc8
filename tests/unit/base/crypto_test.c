/* Digests and encodings against the values printed in their specifications. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "base/crypto.h"

static const char *hex(const uint8_t *at, size_t len)
{
    static char out[129];
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[at[i] >> 4];
        out[2 * i + 1] = digits[at[i] & 15];
    }
    out[2 * len] = '\0';
    return out;
}

/* FIPS 180-2, appendices A.1 and B.1. */
static void digests(void **state)
{
    uint8_t out[32];
    crypto_sha1(span_str("abc"), out);
    assert_string_equal(hex(out, 20), "a9993e364706816aba3e25717850c26c9cd0d89d");
    crypto_sha1(span_of(NULL, 0), out);
    assert_string_equal(hex(out, 20), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    crypto_sha256(span_str("abc"), out);
    assert_string_equal(hex(out, 32),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

/* RFC 4231 §4.3; an empty key and no text. */
static void hmac(void **state)
{
    uint8_t out[32];
    crypto_hmac_sha256(span_str("Jefe"), span_str("what do ya want for nothing?"), out);
    assert_string_equal(hex(out, 32),
                        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    crypto_hmac_sha256(span_of(NULL, 0), span_of(NULL, 0), out);
    assert_string_equal(hex(out, 32),
                        "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

/* RFC 6455 §1.3: what a WebSocket handshake computes. */
static void websocket_accept(void **state)
{
    uint8_t digest[20];
    char out[29];
    crypto_sha1(span_str("dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11"), digest);
    crypto_base64(span_of(digest, 20), out, sizeof out);
    assert_string_equal(out, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

/* RFC 4648 §10. */
static void base64(void **state)
{
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"},
                                           {"\xfb\xff", "+/8="}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        char text[16];
        uint8_t back[8];
        size_t len = strlen(pairs[i][0]);
        crypto_base64(span_str(pairs[i][0]), text, sizeof text);
        assert_string_equal(text, pairs[i][1]);
        assert_int_equal(crypto_unbase64(span_str(text), back, len), len);
        if (len) {
            assert_memory_equal(back, pairs[i][0], len);
            assert_int_equal(crypto_unbase64(span_str(text), back, len - 1), -1);
        }
    }
}

static void not_base64(void **state)
{
    static const char *const bad[] = {"Z",    "Zg",    "Zg=",   "Zg===",   "=",
                                      "====", "Z===",  "Zm=v",  "Zm9 ",    "Zm9\n",
                                      "Zm-v", "Zm9v=", " Zm9v", "Zg==Zg=="};
    uint8_t out[16];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (crypto_unbase64(span_str(bad[i]), out, sizeof out) != -1)
            fail_msg("\"%s\" was taken for base64", bad[i]);
}

static void comparing(void **state)
{
    assert_true(crypto_is_equal(span_str("secret"), span_str("secret")));
    assert_false(crypto_is_equal(span_str("secret"), span_str("secreT")));
    assert_false(crypto_is_equal(span_str("secret"), span_str("secre")));
    assert_true(crypto_is_equal(span_of(NULL, 0), span_str("")));
}

static void random_bytes(void **state)
{
    uint8_t a[32] = {0}, b[32] = {0};
    crypto_random(a, sizeof a);
    crypto_random(b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
    crypto_random(NULL, 0);
}

/* The check value of CRC-32/ISO-HDLC, which is PHP's crc32(). */
static void crc(void **state)
{
    assert_int_equal(crypto_crc32(span_str("123456789")), 0xcbf43926);
    assert_int_equal(crypto_crc32(span_of(NULL, 0)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests),          cmocka_unit_test(hmac),
        cmocka_unit_test(websocket_accept), cmocka_unit_test(base64),
        cmocka_unit_test(not_base64),       cmocka_unit_test(comparing),
        cmocka_unit_test(random_bytes),     cmocka_unit_test(crc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Digests, base64, random bytes and constant-time comparison, over OpenSSL's libcrypto. */
#include "base/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <zlib.h>

#include "base/log.h"

/* libcrypto fails here only when its installation is broken (no default provider), or for want of
 * memory. */
static void check(bool is_ok, const char *what)
{
    if (!is_ok)
        log_fatal("libcrypto cannot do %s: out of memory, or its installation is not complete",
                  what);
}

/* libcrypto wants an address even for no bytes. */
static const void *addr(struct span s)
{
    return s.len ? (const void *)s.at : "";
}

/* EVP_sha1() is only a name: libcrypto would look for an implementation in every call, which takes
 * longer than the digest of a WebSocket key. */
static EVP_MD *sha1;

static void fetch_sha1(void)
{
    sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
    check(sha1 != NULL, "SHA-1");
}

void crypto_prepare(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fetch_sha1);
}

void crypto_sha1(struct span in, uint8_t out[20])
{
    crypto_prepare();
    check(EVP_Digest(addr(in), in.len, out, NULL, sha1, NULL) == 1, "SHA-1");
}

void crypto_sha256(struct span in, uint8_t out[32])
{
    check(EVP_Digest(addr(in), in.len, out, NULL, EVP_sha256(), NULL) == 1, "SHA-256");
}

void crypto_hmac_sha256(struct span key, struct span in, uint8_t out[32])
{
    check(HMAC(EVP_sha256(), addr(key), (int)key.len, addr(in), in.len, out, NULL) != NULL,
          "HMAC-SHA-256");
}

void crypto_base64(struct span in, char *out, size_t out_bytes)
{
    if (in.len > INT32_MAX / 2 || out_bytes < 4 * ((in.len + 2) / 3) + 1)
        log_fatal("crypto_base64: %zu bytes do not fit %zu", in.len, out_bytes);
    EVP_EncodeBlock((unsigned char *)out, addr(in), (int)in.len);
}

/* The six bits that a character stands for (RFC 4648 §4), or -1. */
static int sextet(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Not EVP_DecodeBlock(): that skips blanks and writes the bytes of the padding, too. */
ptrdiff_t crypto_unbase64(struct span text, uint8_t *out, size_t out_bytes)
{
    size_t chars = text.len, n = 0;
    uint32_t bits = 0;
    if (chars % 4 != 0)
        return -1;
    for (int pad = 0; pad < 2 && chars && text.at[chars - 1] == '='; pad++)
        chars--;
    if (chars * 3 / 4 > out_bytes)
        return -1;
    for (size_t i = 0; i < chars; i++) {
        int six = sextet(text.at[i]);
        if (six < 0)
            return -1;
        bits = bits << 6 | (uint32_t)six;
        if (i % 4 == 0)
            continue;
        /* After the 2nd, 3rd and 4th character 4, 2 and 0 bits are left over. */
        out[n++] = (uint8_t)(bits >> (6 - i % 4 * 2));
    }
    return (ptrdiff_t)n;
}

bool crypto_is_equal(struct span a, struct span b)
{
    return a.len == b.len && CRYPTO_memcmp(addr(a), addr(b), a.len) == 0;
}

void crypto_random(void *out, size_t n)
{
    unsigned char *at = out;
    while (n) {
        int some = n < (1 << 20) ? (int)n : 1 << 20;
        check(RAND_bytes(at, some) == 1, "random bytes");
        at += some;
        n -= (size_t)some;
    }
}

uint32_t crypto_crc32(struct span in)
{
    return (uint32_t)crc32_z(0, addr(in), in.len);
}

/* Signatures made here by OpenSSL, read by us; keys that are refused. ES256 has the example of RFC
 * 7515 in jwt_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/signature.h"

static char *pem_of(EVP_PKEY *pkey)
{
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PUBKEY(bio, pkey), 1);
    char *at;
    long len = BIO_get_mem_data(bio, &at);
    char *text = mem_strndup(at, (size_t)len);
    BIO_free(bio);
    return text;
}

static void test_rs256(void **unused)
{
    EVP_PKEY *pkey = EVP_RSA_gen(2048);
    char *pem = pem_of(pkey);
    const char *why;
    struct public_key *key = public_key_new(span_str(pem), &why);
    assert_non_null(key);
    assert_int_equal(public_key_kind(key), SIGNATURE_RS256);
    uint8_t signature[256];
    size_t len = sizeof(signature);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, pkey), 1);
    assert_int_equal(EVP_DigestSign(ctx, signature, &len, (const uint8_t *)"text", 4), 1);
    assert_true(public_key_verify(key, span_str("text"), span_of(signature, len)));
    assert_false(public_key_verify(key, span_str("texts"), span_of(signature, len)));
    assert_false(public_key_verify(key, span_str("text"), span_of(signature, len - 1)));
    assert_false(public_key_verify(key, span_str("text"), span_of(signature, 0)));
    signature[5] ^= 1;
    assert_false(public_key_verify(key, span_str("text"), span_of(signature, len)));
    EVP_MD_CTX_free(ctx);
    public_key_free(key);
    public_key_free(NULL);
    mem_free(pem);
    EVP_PKEY_free(pkey);
}

static void expect_refused(EVP_PKEY *pkey, const char *problem)
{
    char *pem = pem_of(pkey);
    const char *why = NULL;
    assert_null(public_key_new(span_str(pem), &why));
    assert_string_equal(why, problem);
    mem_free(pem);
    EVP_PKEY_free(pkey);
}

static void test_weak_and_foreign_keys(void **unused)
{
    const char *why = NULL;
    expect_refused(EVP_RSA_gen(1024), "an RSA key needs 2048 bits");
    expect_refused(EVP_EC_gen("P-384"), "an EC key must be on P-256 (prime256v1)");
    expect_refused(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), "only RSA and EC keys are used here");
    assert_null(public_key_new(span_str("-----BEGIN PUBLIC KEY-----\nAAAA\n"), &why));
    assert_string_equal(why, "it is no public key in PEM");
    assert_null(public_key_new(span_of(NULL, 0), &why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rs256),
        cmocka_unit_test(test_weak_and_foreign_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

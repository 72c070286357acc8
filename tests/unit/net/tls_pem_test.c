/* PEM texts: what is wrong with them is said of the right part, and in words that help. */
#include "net/tls_pem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "support/cert.h"

enum { LIFE_S = 3600, TEXT_MAX = 8192 };

static struct cert root, leaf, other;
static SSL_CTX *ctx;

static int make_certs(void **state)
{
    cert_make(&root, "root.example", NULL, LIFE_S);
    cert_make(&leaf, "leaf.example", &root, LIFE_S);
    cert_make(&other, "other.example", NULL, LIFE_S);
    return 0;
}

static int set_up(void **state)
{
    ctx = SSL_CTX_new(TLS_method());
    return ctx ? 0 : -1;
}

static int tear_down(void **state)
{
    assert_int_equal(ERR_peek_error(),
                     0); /* nothing for the next call of OpenSSL to stumble over */
    SSL_CTX_free(ctx);
    return 0;
}

static struct tls_pair pair_of(const char *cert, const char *key)
{
    return (struct tls_pair){.cert = span_str(cert), .key = span_str(key)};
}

/* A good text, some other text, and a good one. */
static const char *joined(const char *a, const char *b, const char *c)
{
    static char text[TEXT_MAX];
    assert_in_range(snprintf(text, sizeof(text), "%s%s%s", a, b, c), 1, sizeof(text) - 1);
    return text;
}

/* The same with a byte in the middle that no base64 has. */
static const char *broken(const char *pem)
{
    static char text[TEXT_MAX];
    assert_in_range(snprintf(text, sizeof(text), "%s", pem), 200, sizeof(text) - 1);
    text[150] = '!';
    return text;
}

static void check_pair(const char *cert, const char *key, int part, const char *words)
{
    struct tls_pair pair = pair_of(cert, key);
    struct tls_complaint complaint = {.part = TLS_PART_SUITES};
    assert_int_equal(tls_pem_use_pair(ctx, &pair, &complaint), -EINVAL);
    assert_int_equal(complaint.part, part);
    if (!strstr(complaint.text, words))
        fail_msg("\"%s\" says nothing of \"%s\"", complaint.text, words);
}

static void a_chain_stands_behind_its_certificate(void **state)
{
    struct tls_pair pair =
        pair_of(joined(leaf.cert_pem, "text between them\n", root.cert_pem), leaf.key_pem);
    struct tls_complaint complaint;
    STACK_OF(X509) *chain = NULL;
    assert_int_equal(tls_pem_use_pair(ctx, &pair, &complaint), 0);
    assert_int_equal(SSL_CTX_get0_chain_certs(ctx, &chain), 1);
    assert_int_equal(sk_X509_num(chain), 1);
    assert_int_equal(SSL_CTX_check_private_key(ctx), 1);
}

static void what_is_no_certificate_is_named(void **state)
{
    check_pair("", leaf.key_pem, TLS_PART_CERT, "no certificate in PEM form");
    check_pair("hello\n", leaf.key_pem, TLS_PART_CERT, "no certificate in PEM form");
    check_pair(leaf.key_pem, leaf.key_pem, TLS_PART_CERT, "no certificate in PEM form");
    check_pair(broken(leaf.cert_pem), leaf.key_pem, TLS_PART_CERT, "no certificate in PEM form");
    check_pair(joined(leaf.cert_pem, broken(root.cert_pem), ""), leaf.key_pem, TLS_PART_CERT,
               "a certificate of the chain is broken");
}

static void what_is_no_key_is_named(void **state)
{
    check_pair(leaf.cert_pem, "", TLS_PART_KEY, "no private key in PEM form");
    check_pair(leaf.cert_pem, leaf.cert_pem, TLS_PART_KEY, "no private key in PEM form");
    check_pair(leaf.cert_pem, broken(leaf.key_pem), TLS_PART_KEY, "no private key in PEM form");
    check_pair(leaf.cert_pem, other.key_pem, TLS_PART_KEY, "does not belong to the certificate");
}

/* Nobody is asked for a passphrase: the process has no terminal. */
static void an_encrypted_key_is_refused_at_once(void **state)
{
    static char text[TEXT_MAX];
    static unsigned char passphrase[] = "secret";
    BIO *in = BIO_new_mem_buf(leaf.key_pem, -1), *out = BIO_new(BIO_s_mem());
    EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(out, key, EVP_aes_128_cbc(), (char *)passphrase,
                                                   6, NULL, NULL),
                     1);
    int n = BIO_read(out, text, sizeof(text) - 1);
    assert_in_range(n, 100, sizeof(text) - 1);
    text[n] = '\0';
    EVP_PKEY_free(key);
    BIO_free(in);
    BIO_free(out);
    check_pair(leaf.cert_pem, text, TLS_PART_KEY, "store it without a passphrase");
}

static int use_ca(const char *text, struct tls_complaint *complaint)
{
    return tls_pem_use_client_ca(ctx, span_str(text), complaint);
}

static void several_may_sign_clients(void **state)
{
    struct tls_complaint complaint = {0};
    assert_int_equal(use_ca(joined(root.cert_pem, "# and\n", other.cert_pem), &complaint), 0);
    assert_int_equal(sk_X509_NAME_num(SSL_CTX_get_client_CA_list(ctx)), 2);
    assert_int_equal(use_ca(root.cert_pem, &complaint), 0); /* again: no error */
}

static void a_broken_one_among_them_is_told(void **state)
{
    struct tls_complaint complaint = {0};
    assert_int_equal(use_ca("", &complaint), -EINVAL);
    assert_int_equal(complaint.part, TLS_PART_CLIENT_CA);
    assert_non_null(strstr(complaint.text, "no certificate in PEM form"));
    assert_int_equal(use_ca(joined(root.cert_pem, broken(other.cert_pem), ""), &complaint),
                     -EINVAL);
    assert_non_null(strstr(complaint.text, "a certificate in it is broken"));
}

static void a_long_reason_is_cut(void **state)
{
    char what[400];
    struct tls_complaint complaint;
    memset(what, 'x', sizeof(what));
    what[sizeof(what) - 1] = '\0';
    assert_int_equal(tls_complain(&complaint, TLS_PART_CIPHERS, what), -EINVAL);
    assert_int_equal(strlen(complaint.text), sizeof(complaint.text) - 1);
    assert_int_equal(complaint.part, TLS_PART_CIPHERS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_chain_stands_behind_its_certificate, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_certificate_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_key_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_encrypted_key_is_refused_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(several_may_sign_clients, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_broken_one_among_them_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_long_reason_is_cut, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, make_certs, NULL);
}

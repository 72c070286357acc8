/* Certificates for tests of TLS: made on the spot, valid for an hour. */
#include "support/cert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

static void add_extension(X509 *cert, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(ext);
    assert_int_equal(X509_add_ext(cert, ext, -1), 1);
    X509_EXTENSION_free(ext);
}

static void drain(BIO *from, char *out, size_t out_bytes)
{
    int n = BIO_read(from, out, (int)out_bytes - 1);
    assert_in_range(n, 1, out_bytes - 2);
    out[n] = '\0';
    BIO_free(from);
}

static X509 *read_cert(const struct cert *c)
{
    BIO *in = BIO_new_mem_buf(c->cert_pem, -1);
    X509 *cert = PEM_read_bio_X509(in, NULL, NULL, NULL);
    assert_non_null(cert);
    BIO_free(in);
    return cert;
}

static EVP_PKEY *read_key(const struct cert *c)
{
    BIO *in = BIO_new_mem_buf(c->key_pem, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
    assert_non_null(key);
    BIO_free(in);
    return key;
}

static void fill(X509 *cert, const char *host, EVP_PKEY *key, long ends_in_s)
{
    static long serial = 1;
    char names[256];
    X509_NAME *name = X509_get_subject_name(cert);
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++);
    X509_gmtime_adj(X509_getm_notBefore(cert), -100000);
    X509_gmtime_adj(X509_getm_notAfter(cert), ends_in_s);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)host, -1, -1, 0);
    snprintf(names, sizeof names, "DNS:%s", host);
    add_extension(cert, NID_subject_alt_name, names);
}

void cert_make(struct cert *out, const char *host, const struct cert *issuer, long ends_in_s)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    X509 *signer = issuer ? read_cert(issuer) : cert;
    EVP_PKEY *signing_key = issuer ? read_key(issuer) : key;
    assert_non_null(key);
    fill(cert, host, key, ends_in_s);
    if (!issuer)
        add_extension(cert, NID_basic_constraints, "critical,CA:TRUE");
    X509_set_issuer_name(cert, X509_get_subject_name(signer));
    assert_true(X509_sign(cert, signing_key, EVP_sha256()) > 0);
    BIO *pem = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_X509(pem, cert), 1);
    drain(pem, out->cert_pem, sizeof out->cert_pem);
    pem = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PrivateKey(pem, key, NULL, NULL, 0, NULL, NULL), 1);
    drain(pem, out->key_pem, sizeof out->key_pem);
    if (issuer) {
        X509_free(signer);
        EVP_PKEY_free(signing_key);
    }
    X509_free(cert);
    EVP_PKEY_free(key);
}

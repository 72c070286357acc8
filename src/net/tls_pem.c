/* Certificates and keys out of PEM texts into an SSL_CTX, with complaints that people understand.
 */
#include "net/tls_pem.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>

int tls_complain(struct tls_complaint *complaint, enum tls_part part, const char *what)
{
    unsigned long error = ERR_get_error();
    const char *reason = error ? ERR_reason_error_string(error) : NULL;
    complaint->part = part;
    snprintf(complaint->text, sizeof complaint->text, "%s%s%s%s", what, reason ? " (OpenSSL: " : "",
             reason ? reason : "", reason ? ")" : "");
    ERR_clear_error();
    return -EINVAL;
}

static BIO *reader(struct span pem)
{
    return BIO_new_mem_buf(pem.len ? (const void *)pem.at : "", (int)pem.len);
}

/* Nobody is there to type a passphrase; *asked tells that one would be needed. */
static int no_passphrase(char *out, int out_bytes, int is_writing, void *asked)
{
    *(bool *)asked = true;
    return -1;
}

/* The end of a file is an error to PEM_read_…(), the only one that is none to us. */
static bool is_end_of_pem(void)
{
    unsigned long error = ERR_peek_last_error();
    bool is_end = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
    if (is_end)
        ERR_clear_error();
    return is_end;
}

static int use_chain(SSL_CTX *ctx, BIO *in, struct tls_complaint *complaint)
{
    X509 *link;
    while ((link = PEM_read_bio_X509(in, NULL, NULL, NULL)) != NULL)
        if (SSL_CTX_add0_chain_cert(ctx, link) != 1) {
            X509_free(link);
            return tls_complain(complaint, TLS_PART_CERT, "a certificate of the chain is refused");
        }
    if (!is_end_of_pem())
        return tls_complain(complaint, TLS_PART_CERT, "a certificate of the chain is broken");
    return 0;
}

static int use_cert(SSL_CTX *ctx, struct span pem, struct tls_complaint *complaint)
{
    BIO *in = reader(pem);
    X509 *cert = PEM_read_bio_X509_AUX(in, NULL, NULL, NULL);
    int rc;
    if (!cert)
        rc = tls_complain(complaint, TLS_PART_CERT, "no certificate in PEM form is in it");
    else if (SSL_CTX_use_certificate(ctx, cert) != 1)
        rc = tls_complain(complaint, TLS_PART_CERT, "the certificate cannot be used");
    else
        rc = use_chain(ctx, in, complaint);
    X509_free(cert);
    BIO_free(in);
    return rc;
}

static int use_key(SSL_CTX *ctx, struct span pem, struct tls_complaint *complaint)
{
    bool needs_passphrase = false;
    BIO *in = reader(pem);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, no_passphrase, &needs_passphrase);
    int rc = 0;
    if (needs_passphrase)
        rc = tls_complain(complaint, TLS_PART_KEY,
                          "the key is encrypted; store it without a passphrase");
    else if (!key)
        rc = tls_complain(complaint, TLS_PART_KEY, "no private key in PEM form is in it");
    else if (X509_check_private_key(SSL_CTX_get0_certificate(ctx), key) != 1)
        rc = tls_complain(complaint, TLS_PART_KEY, "the key does not belong to the certificate");
    else if (SSL_CTX_use_PrivateKey(ctx, key) != 1)
        rc = tls_complain(complaint, TLS_PART_KEY, "the key cannot be used");
    EVP_PKEY_free(key);
    BIO_free(in);
    return rc;
}

int tls_pem_use_pair(SSL_CTX *ctx, const struct tls_pair *pair, struct tls_complaint *complaint)
{
    int rc = use_cert(ctx, pair->cert, complaint);
    return rc < 0 ? rc : use_key(ctx, pair->key, complaint);
}

int tls_pem_use_client_ca(SSL_CTX *ctx, struct span pem, struct tls_complaint *complaint)
{
    BIO *in = reader(pem);
    X509_STORE *store = SSL_CTX_get_cert_store(ctx);
    X509 *ca;
    size_t n = 0;
    while ((ca = PEM_read_bio_X509(in, NULL, NULL, NULL)) != NULL) {
        bool is_added = X509_STORE_add_cert(store, ca) == 1 && SSL_CTX_add_client_CA(ctx, ca) == 1;
        X509_free(ca);
        if (!is_added)
            break;
        n++;
    }
    bool is_whole = is_end_of_pem();
    BIO_free(in);
    if (n > 0 && is_whole)
        return 0;
    return tls_complain(complaint, TLS_PART_CLIENT_CA,
                        n > 0 ? "a certificate in it is broken"
                              : "no certificate in PEM form is in it");
}

/* Signatures by public keys, on OpenSSL's libcrypto. */
#include "base/signature.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/mem.h"

enum { RSA_BITS_MIN = 2048, ES256_HALF = 32 };

struct public_key {
    EVP_PKEY *pkey;
    enum signature_kind kind;
};

static EVP_PKEY *from_certificate(BIO *bio)
{
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    EVP_PKEY *pkey = cert ? X509_get_pubkey(cert) : NULL;
    X509_free(cert);
    return pkey;
}

static EVP_PKEY *read_pem(struct span pem)
{
    if (pem.len > INT_MAX)
        return NULL;
    BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.len);
    EVP_PKEY *pkey = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
    if (bio && !pkey && BIO_reset(bio) == 1)
        pkey = from_certificate(bio);
    BIO_free(bio);
    ERR_clear_error();
    return pkey;
}

/* What is wrong with the key, or NULL and its kind. */
static const char *judge(const EVP_PKEY *pkey, enum signature_kind *kind)
{
    char curve[32] = "";
    size_t len;
    switch (EVP_PKEY_get_base_id(pkey)) {
    case EVP_PKEY_RSA:
        *kind = SIGNATURE_RS256;
        return EVP_PKEY_get_bits(pkey) < RSA_BITS_MIN ? "an RSA key needs 2048 bits" : NULL;
    case EVP_PKEY_EC:
        *kind = SIGNATURE_ES256;
        if (EVP_PKEY_get_group_name(pkey, curve, sizeof(curve), &len) != 1 ||
            strcmp(curve, "prime256v1") != 0)
            return "an EC key must be on P-256 (prime256v1)";
        return NULL;
    default:
        return "only RSA and EC keys are used here";
    }
}

struct public_key *public_key_new(struct span pem, const char **why)
{
    enum signature_kind kind = SIGNATURE_RS256;
    EVP_PKEY *pkey = read_pem(pem);
    *why = pkey ? judge(pkey, &kind) : "it is no public key in PEM";
    if (*why) {
        EVP_PKEY_free(pkey);
        return NULL;
    }
    struct public_key *k = mem_alloc(sizeof(*k));
    *k = (struct public_key){.pkey = pkey, .kind = kind};
    return k;
}

void public_key_free(struct public_key *k)
{
    if (!k)
        return;
    EVP_PKEY_free(k->pkey);
    mem_free(k);
}

enum signature_kind public_key_kind(const struct public_key *k)
{
    return k->kind;
}

static bool verify(const struct public_key *k, struct span bytes, const uint8_t *sig, size_t len)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool is_good = ctx && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, k->pkey) == 1 &&
                   EVP_DigestVerify(ctx, sig, len, bytes.at, bytes.len) == 1;
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return is_good;
}

/* libcrypto reads the two numbers in DER. */
static bool verify_es256(const struct public_key *k, struct span bytes, struct span signature)
{
    if (signature.len != ES256_HALF + ES256_HALF)
        return false;
    BIGNUM *r = BN_bin2bn(signature.at, ES256_HALF, NULL);
    BIGNUM *s = BN_bin2bn(signature.at + ES256_HALF, ES256_HALF, NULL);
    ECDSA_SIG *sig = ECDSA_SIG_new();
    unsigned char *der = NULL;
    int len = -1;
    if (r && s && sig && ECDSA_SIG_set0(sig, r, s) == 1) {
        r = s = NULL; /* they belong to sig now */
        len = i2d_ECDSA_SIG(sig, &der);
    }
    bool is_good = len > 0 && verify(k, bytes, der, (size_t)len);
    OPENSSL_free(der);
    ECDSA_SIG_free(sig);
    BN_free(r);
    BN_free(s);
    return is_good;
}

bool public_key_verify(const struct public_key *k, struct span bytes, struct span signature)
{
    if (k->kind == SIGNATURE_ES256)
        return verify_es256(k, bytes, signature);
    return verify(k, bytes, signature.at, signature.len);
}

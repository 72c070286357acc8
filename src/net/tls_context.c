/* What the TLS connections of a section share: certificates, rules, session tickets. */
#include "net/tls_context.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/tls_internal.h"
#include "net/tls_pem.h"
#include "net/tls_ticket.h"

/* For clients that know no tickets (TLS 1.2 only); a session with a client's certificate takes some
 * kilobytes. */
enum { SESSIONS_CACHED_MAX = 4096 };

static const uint8_t SESSION_ID_CONTEXT[] = "gatehouse";

/* ---- what OpenSSL asks while it shakes hands ---- */

/* The certificate of the name that the client asks for (RFC 6066 §3); without a match the first
 * one, as clients that name nothing get. */
static int choose_pair(SSL *ssl, int *alert, void *arg)
{
    const struct tls_context *ctx = arg;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (!name)
        return SSL_TLSEXT_ERR_NOACK;
    for (size_t i = 0; i < ctx->pairs_n; i++) {
        X509 *cert = SSL_CTX_get0_certificate(ctx->pairs[i]);
        if (X509_check_host(cert, name, strlen(name), 0, NULL) != 1)
            continue;
        if (i > 0)
            SSL_set_SSL_CTX(ssl, ctx->pairs[i]);
        break;
    }
    return SSL_TLSEXT_ERR_OK;
}

/* RFC 7301 §3.2: a client that offers protocols, but not ours, is told so. Listeners without HTTP
 * take no part. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                           const unsigned char *offered, unsigned offered_len, void *arg)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen;
    if (!SSL_get_app_data(ssl)) /* is_http of tls_new() */
        return SSL_TLSEXT_ERR_NOACK;
    if (SSL_select_next_proto(&chosen, out_len, ours, sizeof ours - 1, offered, offered_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static bool set_up(EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, const struct tls_ticket_keys *keys,
                   const unsigned char *iv, bool is_sealing)
{
    char digest[] = "SHA256";
    uint8_t mac_key[sizeof keys->mac];
    memcpy(mac_key, keys->mac, sizeof mac_key);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, mac_key, sizeof mac_key),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, keys->cipher, iv, is_sealing) == 1 &&
           EVP_MAC_CTX_set_params(mac, params) == 1;
}

/* SSL_CTX_set_tlsext_ticket_key_evp_cb(3): 1 go on, 2 and give the client a new ticket, 0 shake
 * hands in full, -1 give up. */
static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int is_sealing)
{
    const struct tls_context *ctx = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    struct span secret = span_of(ctx->ticket_secret, ctx->ticket_secret_len);
    struct tls_ticket_keys keys;
    bool is_old = false;
    if (is_sealing) {
        tls_ticket_keys(secret, clock_wall_s(), &keys);
        memcpy(name, keys.name, sizeof keys.name);
        if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1)
            return -1;
    } else if (!tls_ticket_find(secret, clock_wall_s(), name, &keys, &is_old)) {
        return 0;
    }
    bool is_ready = set_up(cipher, mac, &keys, iv, is_sealing);
    OPENSSL_cleanse(&keys, sizeof keys);
    return !is_ready ? -1 : is_old ? 2 : 1;
}

/* ---- one certificate's SSL_CTX ---- */

static void set_rules(SSL_CTX *ctx, const struct tls_setup *setup)
{
    SSL_CTX_set_min_proto_version(ctx, setup->min_version == TLS_VERSION_1_3 ? TLS1_3_VERSION
                                                                             : TLS1_2_VERSION);
    /* A peer that ends without saying goodbye is at its end like any other: our protocols mark the
     * end of a message themselves. */
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                 SSL_OP_PRIORITIZE_CHACHA);
    if (setup->has_kernel)
        SSL_CTX_set_options(ctx, SSL_OP_ENABLE_KTLS);
    /* An idle connection holds no buffers; output may move in memory until it is taken. */
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(ctx, 1); /* one read for several small records */
    SSL_CTX_set_dh_auto(ctx, 1);    /* for whoever lists DHE in tls_ciphers */
}

static void set_sessions(SSL_CTX *ctx, bool has_tickets)
{
    if (!has_tickets) {
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
        SSL_CTX_set_num_tickets(ctx, 0);
        return;
    }
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER);
    SSL_CTX_sess_set_cache_size(ctx, SESSIONS_CACHED_MAX);
    /* Without it sessions of clients with certificates are refused: SSL_CTX_set_session_id_context
     * (3). Contexts of other sections have other ticket secrets and caches. */
    SSL_CTX_set_session_id_context(ctx, SESSION_ID_CONTEXT, sizeof SESSION_ID_CONTEXT - 1);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket);
}

static int set_verify(SSL_CTX *ctx, const struct tls_setup *setup, struct tls_complaint *complaint)
{
    int mode = SSL_VERIFY_NONE;
    if (setup->verify == TLS_VERIFY_OPTIONAL)
        mode = SSL_VERIFY_PEER;
    else if (setup->verify == TLS_VERIFY_REQUIRED)
        mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(ctx, mode, NULL);
    if (setup->peer_name &&
        X509_VERIFY_PARAM_set1_host(SSL_CTX_get0_param(ctx), setup->peer_name, 0) != 1)
        return tls_complain(complaint, TLS_PART_CLIENT_CA, "the peers' name cannot be used");
    return mode == SSL_VERIFY_NONE ? 0 : tls_pem_use_client_ca(ctx, setup->client_ca, complaint);
}

static int add_pair(struct tls_context *all, const struct tls_setup *setup, size_t pos,
                    struct tls_complaint *complaint)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    complaint->pair_pos = pos;
    if (!ctx)
        return tls_complain(complaint, TLS_PART_CERT, "OpenSSL gives no context");
    all->pairs[all->pairs_n++] = ctx;
    SSL_CTX_set_app_data(ctx, all);
    set_rules(ctx, setup);
    set_sessions(ctx, setup->ticket_secret.len > 0);
    if (SSL_CTX_set_cipher_list(ctx, setup->ciphers) != 1)
        return tls_complain(complaint, TLS_PART_CIPHERS, "OpenSSL knows none of these ciphers");
    if (setup->suites && SSL_CTX_set_ciphersuites(ctx, setup->suites) != 1)
        return tls_complain(complaint, TLS_PART_SUITES, "OpenSSL knows none of these ciphers");
    int rc = tls_pem_use_pair(ctx, &setup->pairs[pos], complaint);
    if (rc == 0)
        rc = set_verify(ctx, setup, complaint);
    SSL_CTX_set_tlsext_servername_callback(ctx, choose_pair);
    SSL_CTX_set_tlsext_servername_arg(ctx, all);
    SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
    return rc;
}

/* ---- the whole ---- */

struct tls_context *tls_context_new(const struct tls_setup *setup, struct tls_complaint *complaint)
{
    struct tls_context *ctx = mem_zalloc(sizeof *ctx);
    size_t secret_len = setup->ticket_secret.len;
    ctx->refs_n = 1;
    ctx->pairs = mem_zalloc(setup->pairs_n * sizeof(SSL_CTX *));
    ctx->wire = setup->has_kernel ? NULL : tls_wire_method_new();
    ctx->ticket_secret_len = secret_len < TLS_SECRET_MAX ? secret_len : TLS_SECRET_MAX;
    if (ctx->ticket_secret_len > 0)
        memcpy(ctx->ticket_secret, setup->ticket_secret.at, ctx->ticket_secret_len);
    ERR_clear_error();
    for (size_t i = 0; i < setup->pairs_n; i++)
        if (add_pair(ctx, setup, i, complaint) < 0) {
            tls_context_unref(ctx);
            return NULL;
        }
    return ctx;
}

/* 0, or -EINVAL with the complaint filled. */
static int set_trust(SSL_CTX *ctx, const struct tls_setup *setup, struct tls_complaint *complaint)
{
    if (setup->pairs_n == 0)
        return SSL_CTX_set_default_verify_paths(ctx) == 1
                   ? 0
                   : tls_complain(complaint, TLS_PART_CLIENT_CA, "no system certificates");
    int rc = tls_pem_use_pair(ctx, setup->pairs, complaint);
    return rc < 0 ? rc : set_verify(ctx, setup, complaint);
}

struct tls_context *tls_context_new_dialler(const struct tls_setup *setup,
                                            struct tls_complaint *complaint)
{
    static const struct tls_setup system = {.min_version = TLS_VERSION_1_2};
    const struct tls_setup *rules = setup ? setup : &system;
    SSL_CTX *ssl = SSL_CTX_new(TLS_client_method());
    complaint->pair_pos = 0;
    ERR_clear_error();
    if (!ssl) {
        (void)tls_complain(complaint, TLS_PART_CERT, "OpenSSL gives no context");
        return NULL;
    }
    struct tls_context *ctx = mem_zalloc(sizeof *ctx);
    ctx->refs_n = 1;
    ctx->pairs = mem_zalloc(sizeof(SSL_CTX *));
    ctx->wire = rules->has_kernel ? NULL : tls_wire_method_new();
    ctx->pairs[ctx->pairs_n++] = ssl;
    set_rules(ssl, rules);
    if (set_trust(ssl, rules, complaint) < 0) {
        tls_context_unref(ctx);
        return NULL;
    }
    return ctx;
}

struct tls_context *tls_context_ref(struct tls_context *ctx)
{
    ctx->refs_n++;
    return ctx;
}

void tls_context_unref(struct tls_context *ctx)
{
    if (!ctx || --ctx->refs_n > 0)
        return;
    for (size_t i = 0; i < ctx->pairs_n; i++)
        SSL_CTX_free(ctx->pairs[i]);
    BIO_meth_free(ctx->wire);
    OPENSSL_cleanse(ctx->ticket_secret, sizeof ctx->ticket_secret);
    mem_free(ctx->pairs);
    mem_free(ctx);
}

static int64_t end_of(const X509 *cert)
{
    struct tm end;
    if (ASN1_TIME_to_tm(X509_get0_notAfter(cert), &end) != 1)
        return 0;
    return (int64_t)timegm(&end);
}

int64_t tls_context_expiry_s(const struct tls_context *ctx, size_t pair_pos)
{
    SSL_CTX *pair = ctx->pairs[pair_pos];
    int64_t first_s = end_of(SSL_CTX_get0_certificate(pair));
    STACK_OF(X509) *chain = NULL;
    SSL_CTX_get0_chain_certs(pair, &chain);
    for (int i = 0; i < sk_X509_num(chain); i++) {
        int64_t end_s = end_of(sk_X509_value(chain, i));
        first_s = end_s < first_s ? end_s : first_s;
    }
    return first_s;
}

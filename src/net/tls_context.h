/* What the TLS connections of a section share: certificates, rules, session tickets. */
#ifndef NET_TLS_CONTEXT_H
#define NET_TLS_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/span.h"

enum tls_verify { TLS_VERIFY_NONE, TLS_VERIFY_OPTIONAL, TLS_VERIFY_REQUIRED };
enum tls_version { TLS_VERSION_1_2, TLS_VERSION_1_3 };

/* PEM texts: a certificate with its chain behind it, and its key. */
struct tls_pair {
    struct span cert;
    struct span key;
};

struct tls_setup {
    const struct tls_pair *pairs; /* the first is for clients that name no host of the others */
    size_t pairs_n;
    struct span client_ca; /* PEM; who may sign clients' certificates */
    enum tls_verify verify;
    enum tls_version min_version;
    const char *ciphers; /* of TLS 1.2, as openssl-ciphers(1) writes them */
    const char *suites;  /* of TLS 1.3, the most preferred first; NULL: OpenSSL's own */
    bool has_kernel;     /* lets the kernel encrypt where it can */
    /* Ticket keys are made from it and the time: processes with the same secret resume one
     * another's sessions. At least 32 random bytes. */
    struct span ticket_secret; /* empty: there are no tickets and no sessions to take up */
    const char *peer_name;     /* what the other side's certificate must be for; NULL: whatever */
};

enum tls_part {
    TLS_PART_CERT,
    TLS_PART_KEY,
    TLS_PART_CLIENT_CA,
    TLS_PART_CIPHERS,
    TLS_PART_SUITES
};

/* What is wrong with a setup, for whoever knows where its parts come from. */
struct tls_complaint {
    enum tls_part part;
    size_t pair_pos;
    char text[256];
};

/* Counted: connections keep the context that they began with. */
struct tls_context;

/* Borrows the setup for the call. NULL: the complaint is filled. */
struct tls_context *tls_context_new(const struct tls_setup *setup,
                                    struct tls_complaint *complaint) NODISCARD;
/* Of the side that dials. With a setup it shows the first pair and believes client_ca alone; with
 * NULL it shows nothing, and believes whom the system believes (SSL_CERT_FILE and SSL_CERT_DIR in
 * the environment name others). NULL: the complaint is filled. */
struct tls_context *tls_context_new_dialler(const struct tls_setup *setup,
                                            struct tls_complaint *complaint) NODISCARD;
struct tls_context *tls_context_ref(struct tls_context *ctx);
void tls_context_unref(struct tls_context *ctx); /* NULL is fine */
/* The day on which a pair's certificate, or one of its chain, ends; seconds since 1970. */
int64_t tls_context_expiry_s(const struct tls_context *ctx, size_t pair_pos);

#endif

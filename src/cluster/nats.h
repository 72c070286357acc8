/* A connection to NATS, over libnats: the only file that knows it. Its threads call back. */
#ifndef CLUSTER_NATS_H
#define CLUSTER_NATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/conf.h"
#include "base/span.h"

struct nats;

/* Everything is borrowed for the life of the connection; NULL where there is none. Files are paths
 * as the process opens them. */
struct nats_conf {
    struct conf_list urls; /* nats://[user:password@]host[:port] or tls://… */
    const char *label;     /* what nats-server shows for the connection */
    const char *user, *password, *token;
    const char *credentials_file;
    const char *nkey, *nkey_seed_file;
    bool is_tls;
    const char *tls_ca, *tls_cert, *tls_key;
    uint64_t buffer_bytes; /* what libnats may keep while it looks for another server */
};

/* All are called on threads of libnats, and nothing of this file may be called from inside. */
struct nats_events {
    /* Connected, perhaps again: then the subscriptions are there already. `server` is a C string
     * without a password. */
    void (*on_up)(void *owner, const char *server, uint64_t max_payload);
    void (*on_down)(void *owner, const char *why);
    void (*on_ended)(void *owner, const char *why); /* it will not connect again by itself */
    void (*on_message)(void *owner, const char *reply, struct span data); /* reply: "" for none */
    void (*on_trouble)(void *owner, const char *what); /* told by the server, or messages lost */
};

enum { NATS_WHY_MAX = 256 };

/* Whether this binary was built with libnats. */
bool nats_is_built(void);
/* Blocks for some seconds at most. Servers that cannot be reached yet are tried for ever, and
 * on_up() follows. At most one connection per process at a time. 0, or < 0 with the reason in why.
 */
int nats_open(const struct nats_conf *conf, const struct nats_events *events, void *owner,
              struct nats **out, char why[NATS_WHY_MAX]) NODISCARD;
/* Brings what was published to the server, if it answers within half a second, and ends the
 * connection: on_ended() is the last that is called. NULL is fine. */
void nats_close(struct nats *n);

/* Blocks while the server takes nothing. reply "" for none. 0 or GW_EFULL: it is lost. */
int nats_publish(struct nats *n, const char *subject, const char *reply,
                 struct span data) NODISCARD;
/* Twice is the same as once. */
void nats_subscribe(struct nats *n, const char *subject);
void nats_unsubscribe(struct nats *n, const char *subject);

#endif

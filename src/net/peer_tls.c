/* TLS between the parts of a cluster.
 *
 * Nothing older than TLS 1.3 has to be spoken to here. There are no session tickets: links live for
 * long, and a ticket that a client library leaves unread when it closes would make its kernel reset
 * the connection, and the gateway lose what was sent last (RFC 9293 §3.10.7.4). */
#include "net/peer_tls.h"

#include <errno.h>
#include <string.h>

#include "net/tls.h"
#include "net/tls_conf.h" /* TLS_CONF_CIPHERS */

enum { HOST_MAX = 256 };

int peer_tls_use(struct peer_tls *t, enum peer_tls_mode mode, const char *name,
                 const struct peer_tls_files *files, struct tls_complaint *complaint)
{
    const struct tls_pair pair = {.cert = files->cert, .key = files->key};
    const struct tls_setup setup = {
        .pairs = &pair,
        .pairs_n = 1,
        .client_ca = files->ca,
        .verify = TLS_VERIFY_REQUIRED,
        .min_version = TLS_VERSION_1_3,
        .ciphers = TLS_CONF_CIPHERS,
        .suites = TLS_CONF_SUITES,
        .peer_name = name,
    };
    struct tls_context *accepting = tls_context_new(&setup, complaint);
    struct tls_context *dialling = accepting ? tls_context_new_dialler(&setup, complaint) : NULL;
    if (!dialling) {
        tls_context_unref(accepting);
        return -EINVAL;
    }
    peer_tls_close(t);
    *t =
        (struct peer_tls){.mode = mode, .name = name, .accepting = accepting, .dialling = dialling};
    return 0;
}

void peer_tls_close(struct peer_tls *t)
{
    tls_context_unref(t->accepting);
    tls_context_unref(t->dialling);
    *t = (struct peer_tls){0};
}

/* The host of "host:port", "[::1]:port" or a host alone. False: it is longer than any. */
static bool host_of(const char *address, char out[HOST_MAX])
{
    struct span host = span_str(address);
    const char *colon = strrchr(address, ':');
    if (host.len > 0 && host.at[0] == '[') {
        host = span_skip(host, 1);
        ptrdiff_t end = span_find(host, ']');
        host.len = end >= 0 ? (size_t)end : host.len;
    } else if (colon && strchr(address, ':') == colon) {
        host.len = (size_t)(colon - address);
    }
    if (host.len >= HOST_MAX)
        return false;
    memcpy(out, host.at, host.len);
    out[host.len] = '\0';
    return true;
}

int peer_tls_dial(const struct peer_tls *t, const char *address, const struct transport **transport,
                  void **transport_state)
{
    char host[HOST_MAX];
    *transport = &plain_transport;
    *transport_state = NULL;
    if (!t || t->mode == PEER_TLS_OFF)
        return 0;
    if (!host_of(address, host))
        return -EINVAL;
    *transport = &tls_transport;
    *transport_state = tls_new_dialler(t->dialling, t->name ? t->name : host, false);
    return *transport_state ? 0 : -EINVAL;
}

/* TLS between the parts of a cluster: whoever dials and whoever accepts shows a certificate of one
 * CA. */
#ifndef NET_PEER_TLS_H
#define NET_PEER_TLS_H

#include "base/compiler.h"
#include "base/span.h"
#include "net/tls_context.h"
#include "net/transport.h"

/* Both dial with TLS; a port that has it optionally takes others without. */
enum peer_tls_mode { PEER_TLS_OFF, PEER_TLS_OPTIONAL, PEER_TLS_REQUIRED };

/* PEM texts. */
struct peer_tls_files {
    struct span cert, key, ca;
};

/* Zero-initialised is off. Connections keep what they began with when it is opened anew. */
struct peer_tls {
    enum peer_tls_mode mode;
    const char *name; /* borrowed; NULL: the host that is dialled */
    struct tls_context *accepting;
    struct tls_context *dialling;
};

/* t is off, or open and keeps what it has when this fails. name is borrowed. 0, or -EINVAL with the
 * complaint filled. */
int peer_tls_use(struct peer_tls *t, enum peer_tls_mode mode, const char *name,
                 const struct peer_tls_files *files, struct tls_complaint *complaint) NODISCARD;
void peer_tls_close(struct peer_tls *t); /* twice is fine */

/* For conn_dial_over() and its like: what carries a connection to "host:port" (or host alone). t
 * may be NULL: plain. 0, or -EINVAL: no certificate can be for such a host. */
int peer_tls_dial(const struct peer_tls *t, const char *address, const struct transport **transport,
                  void **transport_state) NODISCARD;

#endif

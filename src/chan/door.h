/* The way in of a listener: accepts, believes trusted proxies, and starts TLS. */
#ifndef CHAN_DOOR_H
#define CHAN_DOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/conf.h"
#include "base/list.h"
#include "net/addr.h"
#include "net/cidr.h"
#include "net/listener.h"
#include "net/loop.h"
#include "net/tls_context.h"
#include "net/transport.h"

/* The keys of a section for what stands in front of it. */
struct door_conf {
    bool has_proxy_header;
    struct conf_list trusted;
};

/* NOLINTBEGIN(bugprone-macro-parentheses): a type in offsetof() takes none. */
/* For the key table of a role whose struct TYPE has a `struct door_conf FIELD`. */
#define DOOR_CONF_KEYS(TYPE, FIELD)                                                                \
    {.name = "proxy_protocol",                                                                     \
     .type = CONF_BOOL,                                                                            \
     .offset = offsetof(TYPE, FIELD.has_proxy_header),                                             \
     .def = "false",                                                                               \
     .meaning = "Every connection begins with a PROXY protocol header (version 1 or 2), from a "   \
                "proxy listed in trusted_proxies; others are closed."},                            \
    {                                                                                              \
        .name = "trusted_proxies", .type = CONF_LIST, .offset = offsetof(TYPE, FIELD.trusted),     \
        .meaning = "Addresses of proxies that are believed about where a client comes from: in "   \
                   "X-Forwarded-For, and with proxy_protocol. 10.0.0.0/8, ::1, or unix for peers " \
                   "on unix sockets. May be repeated."                                             \
    }
/* NOLINTEND(bugprone-macro-parentheses) */

/* 0, or GW_ECONF with a line each in errors. */
int door_conf_check(const struct conf *conf, const struct conf_section *s,
                    const struct door_conf *d, struct buf *errors) NODISCARD;
/* The addresses of a conf that was checked; the caller's to fini. */
struct cidr_set door_conf_trusted(const struct door_conf *d) NODISCARD;

/* fd and transport_state are taken. peer: whom the connection comes from, as far as is known. */
typedef void door_enter_fn(void *owner, int fd, const struct addr *peer,
                           const struct transport *transport, void *transport_state);

struct door {
    door_enter_fn *on_enter;
    void *owner;
    bool is_http; /* for tls_new() */
    bool has_proxy_header;
    const struct cidr_set *trusted; /* outlives the door */
    /* Of a door with TLS and no PROXY header: whoever does not begin like a TLS client is taken
     * without. For protocols in which clients speak first and never with that byte. */
    bool may_be_plain;
    struct listener_pace *pace; /* of accepting; outlives the door; may be NULL */
    uint64_t timeout_ms;        /* until the PROXY header is complete, or a first byte is there */

    struct loop *loop;
    struct listener *listener;
    struct tls_context *tls; /* a reference; NULL: plain */
    struct list guests;      /* who have not shown yet how they come in, the oldest first */
    size_t guests_n;
    struct timer timer;
};

/* Serves fd, which stays the caller's; the fields from on_enter to timeout_ms are set. tls:
 * borrowed, may be NULL; unix sockets do without it. 0 or -errno. */
int door_open(struct door *d, struct loop *l, int fd, struct tls_context *tls) NODISCARD;
void door_close(struct door *d); /* accepts no more; twice is fine */
/* For the next connections of a door that has TLS; earlier ones keep what they began with. */
void door_renew_tls(struct door *d, struct tls_context *tls);

#endif

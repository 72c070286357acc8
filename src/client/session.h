/* What a struct gw_session holds: the serialized bytes, and their values once somebody looks. */
#ifndef CLIENT_SESSION_H
#define CLIENT_SESSION_H

#include <stdbool.h>

#include <gw/session.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/compiler.h"
#include "base/span.h"
#include "proto/phpser.h"

struct session_values;

/* A handle over values kept elsewhere, so that reading a const session may decode it. */
struct gw_session {
    struct session_values *values;
};

/* Embedded by its owner. Most events never look at the session, so nothing is decoded before. */
struct session_values {
    struct gw_session handle;
    struct span raw; /* as it came, "" for none; borrowed by session_init() */
    struct php_doc *doc;
    struct php_value *map; /* NULL until decoded */
    struct arena texts;    /* what gw_session_str() handed out */
    bool is_read_only;
    bool is_touched;  /* a call has changed something since raw was set */
    bool is_replaced; /* by session_replace(): raw is what was sent to the gateway */
};

/* raw must live as long as the session, or until session_rebase(). */
void session_init(struct session_values *v, struct span raw, bool is_read_only);
void session_fini(struct session_values *v);

/* Whether the values differ from raw as PHP's !== sees it (an empty map is as good as none). Then
 * *out gets what CMD_SET_SESSION carries: "" for an empty map. */
bool session_is_changed(struct session_values *v, struct buf *out);
/* The values as they are now, serialized, whatever raw is. */
void session_write(struct session_values *v, struct buf *out);

/* The current client's session was written by a call of its own (gw_set_session, _update_session):
 * the same change here, which is then not written again (docs/wire.md §4). */
void session_replace(struct session_values *v, const struct php_value *map, bool is_merge);

/* A session of its own over a copy of the bytes, for gw_session_free(). */
struct gw_session *session_new(struct span raw) NODISCARD;

#endif

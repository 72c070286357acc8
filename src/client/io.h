/* What stands behind a struct gw: a worker's open links, or an outside program's sockets. */
#ifndef CLIENT_IO_H
#define CLIENT_IO_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include <gw/timer.h>
#include <gw/types.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "client/addr_book.h"
#include "client/fanout.h"
#include "proto/client_id.h"
#include "proto/interest.h"
#include "proto/wire.h"

struct gw_store;
struct gw_waiter;

/* The calls of <gw/gateway.h> are written once, over this table. */
struct gw_io {
    /* Around every call, nested where one call is made of others: the deadline is that of the
     * outermost. NULL in workers, whose queries have a deadline of their own. */
    void (*begin)(struct gw *gw);
    void (*end)(struct gw *gw);
    /* The gateways that can be reached now; *out is borrowed until a call below that may wait.
     * 0, GW_ENOGATEWAY or GW_ENOREGISTRY. */
    int (*gateways)(struct gw *gw, const struct addr_book **out);
    /* Queues a packet (copied) for a gateway; never waits. 0, GW_ENOGATEWAY or another error. */
    int (*send)(struct gw *gw, struct gateway_at to, const struct wire_packet *p);
    /* Sends a packet, once, to all gateways of the book that are beyond our links and that the
     * reach (NULL: everybody) concerns, but not to those of the excluded clients. NULL: none are.
     */
    int (*publish)(struct gw *gw, const struct reach *reach, const struct wire_packet *p,
                   const char *const *but_ids, size_t but_n);
    /* Ends a call of sends: brings them on their way, may wait. 0 or an error. */
    int (*settle)(struct gw *gw);
    /* Sends the packet to every target and waits for the answers, which go into the targets.
     * Targets that failed already are left alone; silent ones are sent nothing. */
    void (*ask)(struct gw *gw, const struct wire_packet *p, struct fanout *f);

    /* Offers our extensions to those gateways that did not hear of them yet; may wait. NULL in
     * workers, which offer them when they connect. */
    void (*agree)(struct gw *gw, const struct addr_book *book);
    /* Whether they were accepted: then CMD_RECEIPT and WIRE_BINARY may be sent. */
    bool (*is_ours)(struct gw *gw, struct gateway_at at);
    /* Whether that gateway may have a client in the group or of the uid. False: what is only for
     * them need not go there. NULL outside, where nobody tells. */
    bool (*may_have)(struct gw *gw, struct gateway_at at, enum interest_kind kind,
                     struct span name);

    int (*sleep)(struct gw *gw, uint64_t ms);
    /* Lets the loop do one turn; may wait. NULL where a call has its thread for itself. */
    void (*breathe)(struct gw *gw);
    void (*log)(struct gw *gw, bool is_error, const char *fmt, va_list args) PRINTF_LIKE(3, 0);

    /* Processes with coroutines only. */
    int (*wait)(struct gw *gw, struct gw_waiter *w);
    void (*wake)(struct gw *gw, struct gw_waiter *w);

    /* Workers (the last four: services too) only, NULL outside. */
    /* The session of the client whose callback runs now, when it is that client; or NULL. */
    struct gw_session *(*current_session)(struct gw *gw, struct client_id id);
    /* The id of that client, and its session as it is now, serialized; or NULL. */
    const char *(*current_client)(struct gw *gw, struct buf *session);
    struct gw_timer *(*timer_start)(struct gw *gw, uint64_t delay_ms, bool is_repeating,
                                    void (*fn)(struct gw *gw, void *arg), void *arg);
    void (*timer_stop)(struct gw *gw, struct gw_timer *t);
    int (*worker_id)(const struct gw *gw);
    const char *(*worker_name)(const struct gw *gw);
    const char *(*option)(const struct gw *gw, const char *name);
    struct gw_store *(*store_open)(struct gw *gw, const char *url);
};

/* First member of whatever implements the table. */
struct gw {
    const struct gw_io *io;
    struct buf ext; /* the ext_data of the command being built; never in use across a wait */
};

static inline void io_begin(struct gw *gw)
{
    if (gw->io->begin)
        gw->io->begin(gw);
}

static inline void io_end(struct gw *gw)
{
    if (gw->io->end)
        gw->io->end(gw);
}

#endif

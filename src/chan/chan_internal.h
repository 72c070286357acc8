/* What the files of chan share. */
#ifndef CHAN_CHAN_INTERNAL_H
#define CHAN_CHAN_INTERNAL_H

#include <stdalign.h>

#include "base/buf.h"
#include "chan/chan.h"

enum chan_flag {
    CHAN_OPEN = 1 << 0,     /* on_open was called */
    CHAN_ANSWERED = 1 << 1, /* output may go to the connection: the handshake's answer is queued */
    CHAN_CLOSING = 1 << 2,  /* no new output, no more messages */
    CHAN_AWAITS_GOODBYE = 1 << 3, /* our close frame is queued; reads on for the peer's */
    CHAN_REFUSED = 1 << 4,        /* chan_refuse() was called in on_open */
    CHAN_HELD = 1 << 5,      /* chan_hold() was called in on_open, chan_release() was not yet */
    CHAN_NO_TLS = 1 << 6,    /* the first bytes are not those of a TLS client */
    CHAN_POSTPONED = 1 << 7, /* the farewell to a broken peer waits for chan_finish() */
};

/* Told of the end after the owner; for redial. */
struct chan_hook {
    void (*on_end)(struct chan_hook *h);
};

/* What few channels need, or all only for a moment. First what waits for the handshake's answer, in
 * the order in which it leaves. */
struct chan_extra {
    struct buf answer; /* of a held handshake; or the farewell that is postponed, alone */
    struct buf lines;  /* more header lines for it */
    struct buf output; /* framed; or the refusal, alone */
    struct chan_hook *hook;
};

/* Lives in the room of its connection, whose owner is the channel's. */
struct chan {
    struct chan_extra *extra; /* NULL: nothing */
    const struct chan_kind *kind;
    uint8_t flags; /* enum chan_flag */
    uint16_t close_code;
    int16_t why; /* CHAN_POSTPONED */
    alignas(void *) uint8_t codec_state[];
};

struct chan_extra *chan_extra_of(struct chan *ch); /* made when there is none */
/* The handshake's answer leaves (taken out of reply), and what waited for it. */
void chan_answer(struct chan *ch, struct buf *reply);
/* The refusal leaves, then the connection ends. */
void chan_end_refused(struct chan *ch);

/* The goodbye is queued: waits a bounded time for the peer's. */
void chan_await_goodbye(struct chan *ch);

extern const struct conn_events chan_conn_events; /* chan_input.c */

#endif

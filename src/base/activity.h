/* What a process does right now, on a page that it shares with whoever watches it. */
#ifndef BASE_ACTIVITY_H
#define BASE_ACTIVITY_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/compiler.h"

/* Callbacks of business code, which alone may hold a process up for long. */
enum activity_kind {
    ACTIVITY_NONE,
    ACTIVITY_ON_START,
    ACTIVITY_ON_STOP,
    ACTIVITY_ON_CONNECT,
    ACTIVITY_ON_HANDSHAKE,
    ACTIVITY_ON_WEBSOCKET_CONNECT,
    ACTIVITY_ON_MESSAGE,
    ACTIVITY_ON_REQUEST,
    ACTIVITY_ON_CLOSE,
    ACTIVITY_ON_BUFFER_FULL,
    ACTIVITY_ON_BUFFER_DRAIN,
    ACTIVITY_TIMER,
    ACTIVITY_KINDS,
};

/* Numbers only: the watcher trusts nothing that is written here. */
struct activity_note {
    uint32_t kind; /* enum activity_kind */
    uint32_t ip;   /* ip, port and id: of a client behind a gateway, as in its client_id */
    uint32_t port; /* 0: id is a connection of the process itself; without an id nobody's */
    uint64_t id;
};

/* serial changes whenever a callback begins, ends, waits or goes on: one that stays the same while
 * the process does not answer means that it sits in that callback. */
struct activity {
    _Atomic uint32_t serial;
    struct activity_note note;
};

struct activity *activity_new(void) NODISCARD; /* shared with children; NULL: errno */
void activity_free(struct activity *a);        /* of this process; others keep theirs */

static inline void activity_show(struct activity *a, const struct activity_note *note)
{
    a->note = *note;
    /* One writer: no locked instruction is needed. */
    uint32_t serial = atomic_load_explicit(&a->serial, memory_order_relaxed);
    atomic_store_explicit(&a->serial, serial + 1, memory_order_release);
}

static inline uint32_t activity_serial(const struct activity *a)
{
    return atomic_load_explicit(&a->serial, memory_order_acquire);
}

/* "on_message of client 7f0000010b5400000001", "on_close of connection 17", "a timer"; "" outside
 * of business code. */
enum { ACTIVITY_TEXT_MAX = 80 };
void activity_text(const struct activity *a, char out[ACTIVITY_TEXT_MAX]);

#endif

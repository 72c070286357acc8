/* A coroutine that waits for a store's answer, with a deadline. */
#ifndef STORE_CALL_H
#define STORE_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "net/fibers.h"
#include "net/loop.h"

/* What a store runs on. */
struct store_host {
    struct loop *loop;
    struct fibers *fibers;
};

/* On the stack of the coroutine. Whoever answers goes through call_end(); the coroutine goes on in
 * the next turn, never inside the call that answered. */
struct store_call {
    struct store_host host;
    struct co *co;
    struct timer deadline;
    struct task wake;
    bool has_ended;
    int rc;
};

void call_init(struct store_call *c, struct store_host host);
/* Waits until call_end() or, after that many milliseconds, GW_ETIMEOUT. Coroutines only. */
int call_wait(struct store_call *c, uint64_t ms) NODISCARD;
/* Only while it waits; the first counts. */
void call_end(struct store_call *c, int rc);

#endif

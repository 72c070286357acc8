/* Deadlines of many objects on one timer: four bytes in each object, a heap for those that run. */
#ifndef NET_DEADLINE_H
#define NET_DEADLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/loop.h"

/* Embedded in its owner; zero is: none. Most connections have a deadline only while they open or
 * close, so that a struct timer in each of them would be idle memory. */
struct deadline {
    uint32_t place; /* 1 + position in the heap, private */
};

struct deadline_entry {
    uint64_t due_ms;
    struct deadline *deadline;
};

struct deadlines {
    struct loop *loop;
    struct timer timer;
    struct deadline_entry *heap; /* the earliest first */
    uint32_t len;
    uint32_t cap;
    void (*on_passed)(struct deadlines *all, struct deadline *d);
};

/* on_passed comes once per deadline from the loop; it may set and clear any deadline. */
void deadlines_init(struct deadlines *all, struct loop *l,
                    void (*on_passed)(struct deadlines *all, struct deadline *d));
void deadlines_fini(struct deadlines *all);
void deadline_set(struct deadlines *all, struct deadline *d, uint64_t delay_ms); /* or moves it */
void deadline_clear(struct deadlines *all, struct deadline *d);                  /* twice is fine */

static inline bool deadline_is_set(const struct deadline *d)
{
    return d->place != 0;
}

#endif

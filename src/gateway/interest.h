/* Which groups and uids have members in this process: tells who watches, once per turn. */
#ifndef GATEWAY_INTEREST_H
#define GATEWAY_INTEREST_H

#include <stdbool.h>

#include "base/list.h"
#include "base/span.h"
#include "gateway/groups.h"
#include "net/loop.h"

struct interest;

/* Embedded in its owner. Called before the turn's output leaves, so that what is written from
 * inside is in front of what clients hear. No group or uid may come or go inside. */
struct interest_watch {
    struct list node;
    /* The name has members now that had none when the turn began, or the other way round; what came
     * and went within a turn is not told. The name is borrowed. */
    void (*on_change)(struct interest_watch *w, enum member_kind kind, struct span name,
                      bool is_held);
    /* Those were all; also called, alone, after interest_will_tell(). May be NULL. */
    void (*on_end)(struct interest_watch *w);
};

struct interest {
    struct loop *loop;
    struct groups *tables[MEMBER_KINDS];
    struct map *changed[MEMBER_KINDS]; /* names of this turn, to what they were before */
    struct list watches;
    struct task tell;
};

/* Takes over on_change of the two. */
void interest_init(struct interest *in, struct loop *l, struct groups *groups, struct groups *uids);
void interest_fini(struct interest *in);

/* Hears of changes from the next on; what is held already, groups_next() tells. */
void interest_watch(struct interest *in, struct interest_watch *w);
void interest_unwatch(struct interest *in, struct interest_watch *w); /* twice is fine */
/* on_end comes at the end of this turn, whether there are changes or not. */
void interest_will_tell(struct interest *in);

#endif

/* Tells the links that asked for it which groups and uids have members here (docs/wire.md §3). */
#ifndef GATEWAY_HERALD_H
#define GATEWAY_HERALD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/notices.h"
#include "gateway/interest.h"
#include "net/loop.h"

struct gateway;
struct peer;

/* How far a link is, embedded in its peer. */
struct audience {
    struct list node; /* in herald.links; alone: it did not ask */
    struct list owed; /* in herald.owed: its last ping is not answered yet */
    uint32_t ping;
    bool is_behind; /* took too little: it is told nothing until it has caught up, then all */
    struct {
        bool is_on; /* the names of this kind are being told; the table is held meanwhile */
        size_t pos;
    } walk[MEMBER_KINDS];
};

struct herald {
    struct gateway *gateway;
    struct interest_watch watch;
    struct list links; /* struct audience */
    struct list owed;
    struct buf changes;               /* entries of this turn */
    bool is_everything[MEMBER_KINDS]; /* too many names: the links reckon with every one */
    struct timer look;                /* goes on with walks that wait */
    struct notice_page *page;         /* NULL: nobody shares one with us */
    bool has_put;                     /* on the page, in this turn */
    uint32_t said;                    /* the number of what was told last, 0 without a page */
};

void herald_init(struct gateway *g);
void herald_fini(struct gateway *g); /* the peers are gone */

void herald_audience_init(struct audience *a);
/* It asked: hears all names in the turns to come, and every change. Twice is once. */
void herald_admit(struct gateway *g, struct peer *p);
void herald_forget(struct gateway *g, struct peer *p);
/* Answered at the end of this turn, behind the changes that the peer's commands have made. */
void herald_ping(struct gateway *g, struct peer *p, uint32_t number);

#endif

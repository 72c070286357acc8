/* A command that may be too large for one turn: it is run in slices, its answer is sent in parts.
 */
#ifndef GATEWAY_JOB_H
#define GATEWAY_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/list.h"
#include "gateway/parts.h"
#include "net/loop.h"

struct gateway;
struct job;
struct peer;

/* A slice ends after this many items, bytes or, looked at every few items, microseconds. */
enum {
    SLICE_ITEMS_MAX = 2000,
    SLICE_BYTES_MAX = 256 * 1024,
    SLICE_MAX_US = 1000,
    SLICE_LOOK_ITEMS = 64,
};

/* At most this many answers are in memory, built or not yet taken by the peer. */
enum { JOB_ANSWERS_MAX = 2 };

struct slice {
    struct buf *out; /* takes the entries */
    uint64_t entries_n;
    uint32_t items_n; /* whoever does several items at once adds them */
    uint32_t look_n;
    uint64_t since_us; /* of the first look at the clock */
};

/* To be asked before each item; the first one always has room. */
bool slice_is_over(struct slice *s);

struct job_kind {
    size_t bytes;    /* of the struct that begins with struct job; it is moved once */
    bool has_answer; /* an array of the entries that the steps write */
    /* Works until slice_is_over(). 1: there is more to do, 0: that was all, or < 0: the peer must
     * be closed. Others change the tables between two steps. */
    int (*step)(struct gateway *g, struct job *j, struct slice *s);
    void (*fini)(struct gateway *g, struct job *j); /* after the last step; frees what kind has */
};

/* The caller zeroes it; all fields are private. */
struct job {
    const struct job_kind *kind;
    struct peer *peer; /* NULL: is gone, the work is done nevertheless */
    struct list node;
    struct parts answer;
    uint64_t entries_n;
    bool is_built; /* fini was called, the answer is being sent */
};

struct jobs {
    struct list ready; /* each gets a slice in its turn */
    struct list stuck; /* until their peers have taken more of the answer */
    struct list line;  /* peers whose next command waits until another answer may be built */
    size_t answers_n;
    uint32_t most_items_n; /* of any slice, for tests */
    uint64_t longest_us;   /* of any slice, for benches */
    struct task task;
};

void jobs_init(struct gateway *g);
void jobs_fini(struct gateway *g); /* the peers are gone */

/* For handlers: runs the job that lies on the caller's stack, in place and without an allocation if
 * one slice is enough, else in the turns to come; the peer is not listened to until then. Result as
 * cmd_run(). */
int job_run(struct gateway *g, struct peer *from, const struct job_kind *kind,
            struct job *j) NODISCARD;

/* The peer has run its next command: if it had stood in line, another one may try. */
void job_was_let_in(struct gateway *g, struct peer *p);
/* The peer took most of its queue. */
void job_on_drain(struct gateway *g, struct peer *p);
/* The peer is gone. */
void job_forget(struct gateway *g, struct peer *p);

#endif

/* Runs a role's prepare() in a process of its own, so that compiling never blocks the master. */
#ifndef PROC_BUILDER_H
#define PROC_BUILDER_H

#include "base/compiler.h"
#include "base/span.h"
#include "proc/fleet.h"

struct builder;

/* rc 0 with the artifact's path (may be NULL), or < 0: GW_ETIMEOUT, GW_ECONF when prepare() failed.
 * `output` is what it printed, cut after 64 KiB. Called once; the builder is gone afterwards. */
typedef void builder_fn(void *owner, int rc, const char *artifact, struct span output);

/* NULL with errno when no process could be made. */
struct builder *builder_start(struct fleet *f, struct loop *l, struct group *g, builder_fn *on_done,
                              void *owner) NODISCARD;
void builder_cancel(struct builder *b); /* on_done will not come; NULL is fine */
/* In a child that is forked meanwhile: closes its pipes, frees nothing. NULL is fine. */
void builder_abandon(struct builder *b);

/* For start and check, before any loop runs: prepares every group in turn and sets its artifact;
 * the output goes to stderr. 0 or GW_ECONF with a line in errors. */
int builder_run_all(struct fleet *f, struct buf *errors) NODISCARD;

#endif

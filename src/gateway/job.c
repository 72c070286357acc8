/* A command that may be too large for one turn: it is run in slices, its answer is sent in parts.
 *
 * Each turn of the loop gives one slice, of a millisecond, to one job; those that are ready take
 * turns. The peer is paused meanwhile, so that its requests stay in order and it has one job at
 * most. What a job finds while others change the tables is for gateway/tour.h to define.
 *
 * An answer begins with its length and its number of entries, which are known only at the end: a
 * client that is listed may leave before the walk is over. So an answer is built whole, in pieces
 * (gateway/parts.h), and leaves then, with a bounded part of it in the peer's queue. The other
 * way, to snapshot the ids and look each up twice (once for its size, once for its bytes), would
 * need as much memory for the sessions that change in between. The bound is max_reply_bytes for one
 * answer and JOB_ANSWERS_MAX of them; further peers wait in line, and their requests are looked at
 * anew. A peer that takes nothing of its answer for REPLY_STALL_MS is closed and lets the next one
 * in. */
#include "gateway/job.h"

#include <inttypes.h>
#include <string.h>

#include <gw/err.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "gateway/cmd.h"
#include "gateway/gateway_conf.h"
#include "gateway/state.h"

/* What a link has queued of an answer at most, and when it gets more. The first is above the limit
 * of route.c, so that events do not keep an answer away, the second is below, so that answers do
 * not keep events away. */
enum { AHEAD_BYTES = 512 * 1024, LOW_BYTES = 128 * 1024, REPLY_STALL_MS = 30 * 1000 };

bool slice_is_over(struct slice *s)
{
    if (s->items_n > 0 && (s->items_n >= SLICE_ITEMS_MAX || s->out->len >= SLICE_BYTES_MAX))
        return true;
    if (s->items_n >= s->look_n) {
        s->look_n = s->items_n + SLICE_LOOK_ITEMS;
        uint64_t now_us = clock_mono_us();
        if (s->since_us == 0)
            s->since_us = now_us;
        if (now_us - s->since_us >= SLICE_MAX_US)
            return true;
    }
    s->items_n++;
    return false;
}

static struct slice slice_begin(struct gateway *g)
{
    buf_clear(&g->text);
    return (struct slice){.out = &g->text, .look_n = SLICE_LOOK_ITEMS};
}

/* ---- the end of a job ---- */

/* One at a time: who is let in tries its command again, and then it is the next one's turn. */
static void let_next_in(struct gateway *g)
{
    struct list *line = &g->jobs.line;
    if (g->jobs.answers_n == JOB_ANSWERS_MAX || list_is_empty(line))
        return;
    struct peer *p = CONTAINER_OF(line->next, struct peer, in_line);
    list_remove(&p->in_line);
    p->place = PEER_LET_IN;
    conn_resume(p->conn);
}

void job_was_let_in(struct gateway *g, struct peer *p)
{
    if (p->place == PEER_LET_IN) {
        p->place = PEER_NOT_IN_LINE;
        let_next_in(g);
    }
}

static void job_free(struct gateway *g, struct job *j)
{
    if (!j->is_built)
        j->kind->fini(g, j);
    parts_fini(&j->answer);
    list_remove(&j->node);
    if (j->kind->has_answer) {
        g->jobs.answers_n--;
        let_next_in(g);
    }
    if (j->peer)
        j->peer->job = NULL;
    mem_free(j);
}

/* The peer is heard again, unless it is closed for a reason. */
static void job_end(struct gateway *g, struct job *j, int rc)
{
    struct peer *p = j->peer;
    job_free(g, j);
    if (!p)
        return;
    if (rc < 0)
        peer_refuse(p, rc);
    conn_set_deadline(p->conn, 0);
    conn_resume(p->conn);
}

/* ---- slices ---- */

static void schedule(struct gateway *g)
{
    if (!list_is_empty(&g->jobs.ready))
        loop_soon(g->loop, &g->jobs.task);
}

/* Keeps what the slice has made. 0 or GW_ETOOBIG. */
static int keep(struct gateway *g, struct job *j, const struct slice *s)
{
    static struct log_rate rate;
    uint64_t max_bytes = g->conf->max_reply_bytes;
    j->entries_n += s->entries_n;
    if (j->answer.bytes + s->out->len <= max_bytes) {
        parts_add(&j->answer, conn_pool_chunks(g->conns), buf_span(s->out));
        return 0;
    }
    log_limited(&rate, LOG_WARN,
                "an answer of more than %" PRIu64 " bytes (max_reply_bytes) is not given",
                max_bytes);
    return GW_ETOOBIG;
}

static void complete(struct gateway *g, struct job *j)
{
    j->kind->fini(g, j);
    j->is_built = true;
    parts_end(&j->answer, conn_pool_chunks(g->conns), j->entries_n);
    list_append(&g->jobs.ready, &j->node);
}

static void build(struct gateway *g, struct job *j)
{
    struct slice s = slice_begin(g);
    int rc = j->kind->step(g, j, &s);
    if (s.items_n > g->jobs.most_items_n)
        g->jobs.most_items_n = s.items_n;
    int kept = rc >= 0 ? keep(g, j, &s) : 0;
    if (rc < 0 || kept < 0)
        job_end(g, j, rc < 0 ? rc : kept);
    else if (rc > 0)
        list_append(&g->jobs.ready, &j->node);
    else if (j->kind->has_answer)
        complete(g, j);
    else
        job_end(g, j, 0);
}

static void send_more(struct gateway *g, struct job *j)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): job_forget() ends it with its peer. */
    struct conn *conn = j->peer->conn;
    if (parts_send(&j->answer, j->peer, AHEAD_BYTES)) {
        job_end(g, j, 0);
        return;
    }
    list_append(&g->jobs.stuck, &j->node);
    conn_set_deadline(conn, REPLY_STALL_MS);
    conn_want_drain(conn, LOW_BYTES);
}

static void on_turn(struct task *t)
{
    struct gateway *g = CONTAINER_OF(t, struct gateway, jobs.task);
    if (list_is_empty(&g->jobs.ready))
        return;
    struct job *j = CONTAINER_OF(g->jobs.ready.next, struct job, node);
    uint64_t since_us = clock_mono_us();
    list_remove(&j->node);
    if (j->peer && conn_is_closing(j->peer->conn) && j->kind->has_answer)
        job_free(g, j);
    else if (j->is_built)
        send_more(g, j);
    else
        build(g, j);
    uint64_t took_us = clock_mono_us() - since_us;
    if (took_us > g->jobs.longest_us)
        g->jobs.longest_us = took_us;
    schedule(g);
}

/* ---- the beginning ---- */

static int wait_in_line(struct gateway *g, struct peer *p)
{
    list_append(&g->jobs.line, &p->in_line);
    p->place = PEER_IN_LINE;
    conn_pause(p->conn);
    return CMD_LATER;
}

/* The first slice was not enough; what it made is in the scratch buffer. */
static COLD int go_on(struct gateway *g, struct peer *from, struct job *begun,
                      const struct slice *s)
{
    const struct job_kind *kind = begun->kind;
    if (kind->has_answer && g->jobs.answers_n == JOB_ANSWERS_MAX) {
        kind->fini(g, begun);
        return wait_in_line(g, from);
    }
    struct job *j = mem_alloc(kind->bytes);
    memcpy(j, begun, kind->bytes);
    g->jobs.answers_n += kind->has_answer;
    from->job = j;
    conn_pause(from->conn);
    list_init(&j->node);
    int rc = keep(g, j, s);
    if (rc < 0)
        job_end(g, j, rc);
    else
        list_append(&g->jobs.ready, &j->node);
    schedule(g);
    return 0;
}

/* The common case: everything is in the scratch buffer, behind room for the head. */
static void answer_at_once(struct peer *to, struct buf *text, uint64_t entries_n)
{
    buf_putc(text, '}');
    uint8_t *head = parts_head(text->at + ARRAY_HEAD_MAX, entries_n);
    peer_reply(to, span_of(head, (size_t)(text->at + text->len - head)));
}

int job_run(struct gateway *g, struct peer *from, const struct job_kind *kind, struct job *j)
{
    struct slice s = slice_begin(g);
    buf_reserve(s.out, ARRAY_HEAD_MAX);
    buf_commit(s.out, ARRAY_HEAD_MAX);
    j->kind = kind;
    j->peer = from;
    int rc = kind->step(g, j, &s);
    if (rc > 0) {
        buf_consume(s.out, ARRAY_HEAD_MAX);
        return go_on(g, from, j, &s);
    }
    kind->fini(g, j);
    if (!kind->has_answer)
        return rc;
    if (rc == 0)
        answer_at_once(from, s.out, s.entries_n);
    else
        peer_refuse(from, rc);
    return 0;
}

/* ---- the peer ---- */

void job_on_drain(struct gateway *g, struct peer *p)
{
    struct job *j = p->job;
    if (!j || !j->is_built)
        return;
    list_remove(&j->node);
    list_append(&g->jobs.ready, &j->node);
    schedule(g);
}

void job_forget(struct gateway *g, struct peer *p)
{
    struct job *j = p->job;
    if (p->place == PEER_IN_LINE)
        list_remove(&p->in_line);
    job_was_let_in(g, p);
    p->job = NULL;
    if (!j)
        return;
    j->peer = NULL;
    if (j->kind->has_answer)
        job_free(g, j);
}

/* ---- all ---- */

void jobs_init(struct gateway *g)
{
    list_init(&g->jobs.ready);
    list_init(&g->jobs.stuck);
    list_init(&g->jobs.line);
    g->jobs.task.run = on_turn;
}

void jobs_fini(struct gateway *g)
{
    while (!list_is_empty(&g->jobs.ready))
        job_free(g, CONTAINER_OF(g->jobs.ready.next, struct job, node));
    task_cancel(g->loop, &g->jobs.task);
}

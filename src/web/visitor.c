/* A visitor: one HTTP/1.1 connection (RFC 9112 §9). Pipelined requests are answered in order; while
 * much waits to be sent no further request is read, so a visitor who asks and does not listen costs
 * one answer of memory.
 *
 *   WAITING  no byte of the next request is there   keep_alive_timeout, then closed silently
 *   HEADING  a request head is not complete         head_timeout, then 408
 *   BODY     nor is the body of a call              body_timeout, then 408
 *   ASKING   a call of the HTTP API is under way,   they have deadlines of their own
 *            or metrics are asked for
 *   SENDING  output is queued                       send_timeout each SEND_MIN_BYTES, then dropped
 */
#include "web/visitor.h"

#include <unistd.h>

#include <gw/err.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "chan/forwarded.h"
#include "proto/tls_hello.h"
#include "web/visitor_internal.h"

enum {
    SEND_MIN_BYTES = 16 * 1024,
    QUEUE_MAX_BYTES = 256 * 1024, /* more than that queued: no further request is read */
    OUTPUT_MAX_BYTES = 1024 * 1024,
    INPUT_MAX_BYTES = 2 * 1024 * 1024,
    CLOSE_TIMEOUT_MS = 5000,
};

static uint64_t sent_bytes(const struct visitor *v)
{
    struct conn_counts counts;
    conn_counts(v->conn, &counts);
    return counts.written_bytes;
}

void visitor_enter(struct visitor *v, enum visitor_phase phase, uint64_t timeout_ms)
{
    bool was_busy = v->phase >= VISITOR_ASKING;
    bool is_busy = phase >= VISITOR_ASKING;
    v->phase = phase;
    if (was_busy != is_busy) {
        list_remove(&v->node);
        list_append(is_busy ? &v->all->busy : &v->all->waiting, &v->node);
    }
    conn_set_deadline(v->conn, timeout_ms);
}

static void start_sending(struct visitor *v)
{
    v->sent_before = sent_bytes(v);
    visitor_enter(v, VISITOR_SENDING, v->all->conf->send_timeout_ms);
    conn_want_drain(v->conn, 0);
}

/* No further request is read now: the end is near, or enough is on the way. */
static bool is_full(const struct visitor *v)
{
    return v->is_last || v->has_file || v->call || v->scrape.is_waiting ||
           conn_is_closing(v->conn) || conn_queued(v->conn) >= QUEUE_MAX_BYTES;
}

static void pause_when_full(struct visitor *v)
{
    if (v->is_paused || !is_full(v))
        return;
    v->is_paused = true;
    conn_pause(v->conn);
}

/* An error that ends the connection is a peer that does not speak HTTP, or not as it should; a 401
 * is somebody without a key, perhaps looking for one. */
static void log_refusal(const struct visitor *v, int status)
{
    static struct log_rate bad;
    char peer[ADDR_TEXT_MAX];
    addr_text(conn_peer(v->conn), peer);
    log_limited(&bad, LOG_INFO, "web: %s was refused: %d %s", peer, status, http_reason(status));
}

void visitor_send(struct visitor *v, struct answer *a)
{
    if ((a->is_last && a->status >= 400) || a->status == 401)
        log_refusal(v, a->status);
    int rc = conn_send(v->conn, buf_span(&a->bytes));
    if (rc == 0 && a->fd >= 0) {
        rc = conn_send_file(v->conn, a->fd, a->file_at, a->file_len);
        v->has_file = true;
        a->fd = -1;
    }
    v->all->requests_n++;
    v->is_last = a->is_last || v->all->is_draining;
    if (rc < 0)
        conn_destroy(v->conn, rc);
    else
        start_sending(v);
}

static void refuse(struct visitor *v, int status, const char *text)
{
    struct answer a = {0};
    pages_refuse(v->all->pages, status, text, clock_wall_s(), &a);
    visitor_send(v, &a);
    answer_fini(&a);
}

static void answer_one(struct visitor *v, const struct http_request *r)
{
    struct answer a = {0};
    pages_answer(v->all->pages, r, clock_wall_s(), &a);
    v->skip_bytes = a.is_last ? 0 : r->content_length;
    visitor_send(v, &a);
    answer_fini(&a);
}

/* A proxy asks for many on one connection. */
static void name_source(struct visitor *v, const struct http_request *r)
{
    struct addr from;
    bool is_known = forwarded_from(r, v->all->trusted, &v->proxy, &from);
    conn_set_peer(v->conn, is_known ? &from : &v->proxy);
}

/* Tells it so, and closes: an answer in HTTP would be garbage to it. */
static bool is_tls_client(struct visitor *v, struct span in)
{
    static struct log_rate rate;
    char peer[ADDR_TEXT_MAX];
    if (!tls_hello_is(in))
        return false;
    addr_text(conn_peer(v->conn), peer);
    log_limited(&rate, LOG_INFO, "web: %s speaks TLS at a port without tls_cert", peer);
    int rc = conn_send(v->conn, tls_hello_refusal());
    conn_close_for(v->conn, rc < 0 ? rc : GW_EPROTO);
    return true;
}

/* Uses what it can of the bytes; returns how many. */
static size_t use_bytes(struct visitor *v, uint8_t *at, size_t len)
{
    size_t used = v->codec ? visitor_use_body(v, at, len) : 0;
    while (used < len && !is_full(v) && !v->codec) {
        struct span rest = span_of(at + used, len - used);
        if (v->skip_bytes > 0) {
            size_t n = v->skip_bytes < rest.len ? (size_t)v->skip_bytes : rest.len;
            v->skip_bytes -= n;
            used += n;
            continue;
        }
        struct http_request r;
        ssize_t n = http_resume_request(rest, v->all->conf->head_max_bytes, &v->searched, &r);
        if (n == 0)
            break;
        v->searched = 0;
        if (n < 0) {
            refuse(v, r.error_status, r.error_text);
            break;
        }
        if (v->is_proxied)
            name_source(v, &r);
        if (api_serves(v->all->api, r.path)) {
            used += visitor_take_call(v, &r, (size_t)n, at + used, len - used);
            continue;
        }
        if (scrapes_serves(v->all->scrapes, &r))
            visitor_take_scrape(v, &r);
        else
            answer_one(v, &r);
        used += (size_t)n;
    }
    return used;
}

static ssize_t on_bytes(struct conn *c, void *owner, uint8_t *at, size_t len)
{
    struct visitor *v = owner;
    if (v->phase == VISITOR_WAITING && is_tls_client(v, span_of(at, len)))
        return (ssize_t)len;
    size_t used = use_bytes(v, at, len);
    if (conn_is_closing(c))
        return (ssize_t)len;
    if (v->phase == VISITOR_WAITING && used < len)
        visitor_enter(v, VISITOR_HEADING, v->all->conf->head_timeout_ms);
    pause_when_full(v);
    return (ssize_t)used;
}

static void on_open(struct conn *c, void *owner)
{
    struct visitor *v = owner;
    visitor_enter(v, VISITOR_WAITING, v->all->conf->keep_alive_timeout_ms);
}

static void on_drain(struct conn *c, void *owner)
{
    struct visitor *v = owner;
    v->has_file = false;
    if (v->phase != VISITOR_SENDING)
        return; /* that was an earlier answer; the next one is being worked on */
    if (v->is_last || v->all->is_draining) {
        conn_close(c);
        return;
    }
    visitor_enter(v, VISITOR_WAITING, v->all->conf->keep_alive_timeout_ms);
    if (!v->is_paused)
        return;
    v->is_paused = false;
    conn_resume(c);
}

static void on_close(struct conn *c, void *owner, int why)
{
    struct visitor *v = owner;
    struct visitors *all = v->all;
    list_remove(&v->node);
    scrape_stop(&v->scrape);
    visitor_drop_call(v);
    mem_free(v);
    if (--all->n == 0 && all->is_draining)
        all->on_empty(all);
}

static void on_deadline(struct conn *c, void *owner)
{
    static struct log_rate slow;
    struct visitor *v = owner;
    char peer[ADDR_TEXT_MAX];
    switch (v->phase) {
    case VISITOR_WAITING:
        conn_close(c);
        return;
    case VISITOR_HEADING:
        refuse(v, 408, "The request did not come in time.");
        pause_when_full(v);
        return;
    case VISITOR_BODY:
        visitor_refuse_body(v, GW_ETIMEOUT);
        pause_when_full(v);
        return;
    case VISITOR_ASKING:
        return;
    case VISITOR_SENDING:
        if (sent_bytes(v) - v->sent_before >= SEND_MIN_BYTES) {
            v->sent_before = sent_bytes(v);
            conn_set_deadline(c, v->all->conf->send_timeout_ms);
            return;
        }
        addr_text(conn_peer(c), peer);
        log_limited(&slow, LOG_INFO, "web: %s takes its answer too slowly, %llu bytes wait", peer,
                    (unsigned long long)conn_queued(c));
        conn_destroy(c, GW_ETIMEOUT);
        return;
    }
}

static const struct conn_events visitor_events = {
    .on_open = on_open,
    .on_bytes = on_bytes,
    .on_drain = on_drain,
    .on_close = on_close,
    .on_deadline = on_deadline,
};

void visitors_init(struct visitors *all, struct conn_pool *conns, const struct web_conf *conf,
                   struct pages *pages, const struct cidr_set *trusted,
                   void (*on_empty)(struct visitors *all))
{
    *all = (struct visitors){
        .conns = conns,
        .conf = conf,
        .pages = pages,
        .trusted = trusted,
        .on_empty = on_empty,
        .conn_conf =
            {
                /* A head that is too large is refused by an answer. This limit is for pipelined
                 * requests that came in one read and wait: more than the loop reads at once. */
                .in_max_bytes = INPUT_MAX_BYTES,
                .out_max_bytes = OUTPUT_MAX_BYTES,
                .close_timeout_ms = CLOSE_TIMEOUT_MS,
            },
    };
    list_init(&all->waiting);
    list_init(&all->busy);
}

/* At the limit the visitor who waits longest for its next request makes room; when all are busy,
 * the new one is turned away. */
static bool make_room(struct visitors *all)
{
    static struct log_rate full;
    if (all->n < (size_t)all->conf->max_connections)
        return true;
    log_limited(&full, LOG_WARN, "web: max_connections (%lld) reached",
                (long long)all->conf->max_connections);
    if (list_is_empty(&all->waiting))
        return false;
    struct visitor *oldest = CONTAINER_OF(all->waiting.next, struct visitor, node);
    list_remove(&oldest->node); /* it leaves at the end of the turn: do not choose it again */
    conn_destroy(oldest->conn, GW_EFULL);
    return true;
}

void visitors_accept(struct visitors *all, int fd, const struct addr *peer,
                     const struct transport *transport, void *transport_state)
{
    if (!make_room(all)) {
        transport->free(transport_state);
        close(fd);
        return;
    }
    struct visitor *v = mem_zalloc(sizeof *v);
    v->all = all;
    v->is_proxied = cidr_set_has(all->trusted, peer);
    v->proxy = *peer;
    v->conn = conn_new(all->conns, fd, peer, transport, transport_state, &all->conn_conf,
                       &visitor_events, v);
    if (!v->conn) {
        mem_free(v);
        return;
    }
    all->n++;
    list_append(&all->waiting, &v->node);
}

static void close_list(struct list *l)
{
    for (struct list *node = l->next; node != l; node = node->next)
        conn_close(CONTAINER_OF(node, struct visitor, node)->conn);
}

void visitors_drain(struct visitors *all)
{
    all->is_draining = true;
    close_list(&all->waiting);
    if (all->n == 0)
        all->on_empty(all);
}

void visitors_close(struct visitors *all)
{
    all->is_draining = true;
    close_list(&all->waiting);
    close_list(&all->busy);
    if (all->n == 0)
        all->on_empty(all);
}

void visitors_walk(const struct visitors *all, visitor_fn *each, void *ctx)
{
    const struct list *lists[] = {&all->waiting, &all->busy};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        for (struct list *node = lists[i]->next; node != lists[i]; node = node->next)
            if (!each(ctx, CONTAINER_OF(node, struct visitor, node)->conn, i == 0))
                return;
}

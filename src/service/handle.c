/* Events wait as bits, so that none needs memory; the message, of which there is one at most, waits
 * in a buffer of the service that goes from handle to handle. */
#include "service/handle.h"

#include <gw/err.h>
#include <gw/http.h>

#include "base/log.h"
#include "base/mem.h"
#include "chan/forwarded.h"
#include "service/dial.h"
#include "service/exchange.h"
#include "service/http_line.h"
#include "service/self.h"

enum { IDLE_BUFS_MAX = 256, IDLE_BUF_BYTES_MAX = 64 * 1024 };

/* ---- buffers of messages ---- */

static void take_buf(struct gw_conn *h)
{
    if (h->message.base) /* gw_conn_read() keeps it from message to message */
        return;
    struct buf *idle = vec_pop(&h->service->idle_bufs);
    if (!idle)
        return;
    h->message = *idle;
    mem_free(idle);
}

static void give_buf(struct gw_conn *h)
{
    struct vec *all = &h->service->idle_bufs;

    if (h->message.base && h->message.cap <= IDLE_BUF_BYTES_MAX && all->len < IDLE_BUFS_MAX) {
        struct buf *idle = mem_alloc(sizeof *idle);
        buf_clear(&h->message);
        *idle = h->message;
        vec_push(all, idle);
    } else {
        buf_fini(&h->message);
    }
    h->message = (struct buf){0};
}

/* ---- life ---- */

static void set_peer(struct gw_conn *h, const struct addr *peer)
{
    h->peer = *peer;
    if (peer->family == AF_INET || peer->family == AF_INET6)
        addr_ip_text(peer, h->ip);
}

void handle_look_behind_proxy(struct gw_conn *h, const struct http_request *r)
{
    struct addr from;

    if (!forwarded_from(r, &h->service->trusted, conn_peer(h->conn), &from))
        return;
    conn_set_peer(h->conn, &from);
    set_peer(h, &from);
}

struct gw_conn *handle_new(struct service *s, const struct addr *peer,
                           const struct gw_conn_events *events)
{
    struct gw_conn *h = mem_zalloc(sizeof *h);

    h->service = s;
    h->id = ++s->last_id;
    h->events = events;
    if (peer)
        set_peer(h, peer);
    list_init(&h->node);
    list_init(&h->waiting);
    return h;
}

void handle_bury(struct gw_conn *h)
{
    struct service *s = h->service;

    if (h->is_dead)
        return;
    h->is_dead = true;
    list_remove(&h->node);
    list_remove(&h->waiting);
    (void)idmap_remove(s->by_id, h->id);
    vec_push(&s->dead, h);
    loop_at_end(s->env->loop, &s->bury);
    ending_look(s);
}

void handle_free_dead(struct task *t)
{
    struct service *s = CONTAINER_OF(t, struct service, bury);
    struct gw_conn *h;

    while ((h = vec_pop(&s->dead)) != NULL) {
        give_buf(h);
        exchange_free(h->request);
        dial_free(h->dial);
        mem_free(h);
    }
}

/* ---- telling ---- */

/* Reading stops while callbacks have work, and goes on when they are done. */
static void hold(struct gw_conn *h, bool is_on)
{
    if (h->is_held == is_on || !h->conn)
        return;
    h->is_held = is_on;
    if (is_on)
        conn_pause(h->conn);
    else
        conn_resume(h->conn);
}

static enum handle_event take(struct gw_conn *h)
{
    unsigned first = h->pending & (~(unsigned)h->pending + 1U);

    h->pending = (uint8_t)(h->pending & ~first);
    return (enum handle_event)first;
}

static void tell_open(struct gw_conn *h, struct gw *gw)
{
    const struct gw_service_module *m = h->service->module;

    if (m->on_websocket_connect)
        m->on_websocket_connect(gw, h, h->request);
    exchange_free(h->request);
    h->request = NULL;
}

static void tell_request(struct gw_conn *h, struct gw *gw)
{
    const struct gw_service_module *m = h->service->module;

    h->service->requests_n++;
    if (m->on_request)
        m->on_request(gw, h, h->request);
    http_line_answered(h);
    exchange_free(h->request);
    h->request = NULL;
}

static void tell_message(struct gw_conn *h, struct gw *gw)
{
    h->service->requests_n++;
    if (h->events->on_message)
        h->events->on_message(gw, h, gw_bytes(buf_cstr(&h->message), h->message.len));
    give_buf(h);
}

static uint32_t activity_of(enum handle_event event)
{
    switch (event) {
    case HANDLE_CONNECT:
        return ACTIVITY_ON_CONNECT;
    case HANDLE_OPEN:
        return ACTIVITY_ON_WEBSOCKET_CONNECT;
    case HANDLE_FULL:
        return ACTIVITY_ON_BUFFER_FULL;
    case HANDLE_DRAIN:
        return ACTIVITY_ON_BUFFER_DRAIN;
    case HANDLE_MESSAGE:
        return ACTIVITY_ON_MESSAGE;
    case HANDLE_REQUEST:
        return ACTIVITY_ON_REQUEST;
    case HANDLE_CLOSE:
        return ACTIVITY_ON_CLOSE;
    }
    return ACTIVITY_NONE;
}

static void tell(struct gw_conn *h, enum handle_event event)
{
    const struct gw_conn_events *e = h->events;
    struct gw *gw = &h->service->mesh.gw;

    switch (event) {
    case HANDLE_CONNECT:
        if (h->service->module->on_connect)
            h->service->module->on_connect(gw, h);
        break;
    case HANDLE_OPEN:
        tell_open(h, gw);
        break;
    case HANDLE_FULL:
        if (e->on_buffer_full)
            e->on_buffer_full(gw, h);
        break;
    case HANDLE_DRAIN:
        if (e->on_buffer_drain)
            e->on_buffer_drain(gw, h);
        break;
    case HANDLE_MESSAGE:
        tell_message(h, gw);
        break;
    case HANDLE_REQUEST:
        tell_request(h, gw);
        break;
    case HANDLE_CLOSE:
        if (e->on_close)
            e->on_close(gw, h, h->goodbye);
        break;
    }
}

/* On a coroutine: all that waits, one after the other. */
static void run(void *arg)
{
    struct gw_conn *h = arg;
    struct service *s = h->service;
    bool was_last = false;

    while (h->pending) {
        enum handle_event event = take(h);
        was_last = event == HANDLE_CLOSE || h->datagrams;
        fibers_show(&s->mesh.fibers,
                    (struct activity_note){.kind = activity_of(event), .id = h->id});
        tell(h, event);
    }
    h->is_running = false;
    hold(h, false);
    if (was_last)
        handle_bury(h);
    if (s->is_short)
        loop_soon(s->env->loop, &s->more);
    ending_look(s);
}

static void start(struct gw_conn *h)
{
    struct service *s = h->service;

    if (h->is_running || h->is_dead || !list_is_empty(&h->waiting))
        return;
    h->is_running = true;
    if (fibers_has_room(&s->mesh.fibers) && fibers_start(&s->mesh.fibers, run, h, h) == 0) {
        if (h->is_running)
            hold(h, true);
        return;
    }
    h->is_running = false;
    hold(h, true);
    list_append(&s->waiting, &h->waiting);
    s->is_short = true;
}

void handle_more(struct task *t)
{
    struct service *s = CONTAINER_OF(t, struct service, more);

    s->is_short = false;
    while (!list_is_empty(&s->waiting) && fibers_has_room(&s->mesh.fibers)) {
        struct gw_conn *h = CONTAINER_OF(s->waiting.next, struct gw_conn, waiting);
        list_remove(&h->waiting);
        start(h);
    }
    if (!list_is_empty(&s->waiting))
        s->is_short = true;
    for (size_t i = 0; i < s->datagrams_n; i++)
        datagrams_resume(&s->datagrams[i]);
}

void handle_raise(struct gw_conn *h, enum handle_event event)
{
    h->pending |= (uint8_t)event;
    if (h->events)
        start(h);
}

void handle_message(struct gw_conn *h, struct span payload, bool is_binary)
{
    take_buf(h);
    uint8_t *to = buf_try_reserve(&h->message, payload.len + 1);

    if (!to) {
        if (h->conn)
            conn_destroy(h->conn, GW_EFULL);
        return;
    }
    if (payload.len > 0)
        memcpy(to, payload.at, payload.len);
    buf_commit(&h->message, payload.len);
    h->is_binary = is_binary;
    handle_raise(h, HANDLE_MESSAGE);
    if (!h->events)
        dial_received(h);
}

static void wake(struct gw_conn *h, struct co **who)
{
    struct co *co = *who;

    *who = NULL;
    if (co)
        fibers_resume(&h->service->mesh.fibers, co);
}

void handle_ended(struct gw_conn *h, int why, uint16_t code)
{
    h->conn = NULL;
    h->chan = NULL;
    h->is_held = false;
    h->goodbye = (struct gw_goodbye){.code = code, .why = why};
    wake(h, &h->flusher);
    if (h->events)
        handle_raise(h, HANDLE_CLOSE);
    else
        dial_ended(h);
}

void handle_drained(struct gw_conn *h)
{
    if (h->is_full) {
        h->is_full = false;
        handle_raise(h, HANDLE_DRAIN);
    }
    wake(h, &h->flusher);
}

void handle_watch_queue(struct gw_conn *h)
{
    if (!h->conn || h->is_full || conn_queued(h->conn) < h->service->conf->send_buffer_size)
        return;
    h->is_full = true;
    conn_want_drain(h->conn, 0);
    h->pending &= (uint8_t)~HANDLE_DRAIN; /* not told yet, and not true any more */
    handle_raise(h, HANDLE_FULL);
}

/* ---- what the channel tells ---- */

static void on_open(struct chan *ch, void *owner, const struct codec_event *ev)
{
    struct gw_conn *h = owner;

    if (h->dial) {
        dial_opened(h);
        return;
    }
    if (!ev->request)
        return;
    handle_look_behind_proxy(h, ev->request);
    h->request = exchange_new(h, ev->request, span_of(NULL, 0));
    h->is_opening = true;
    handle_raise(h, HANDLE_OPEN);
    h->is_opening = false;
    if (h->refusal_status && h->chan)
        chan_refuse(ch, h->refusal_status, h->refusal);
}

static void on_message(struct chan *ch, void *owner, const struct codec_event *ev)
{
    (void)ch;
    handle_message(owner, ev->payload, ev->is_binary);
}

static void on_drain(struct chan *ch, void *owner)
{
    (void)ch;
    handle_drained(owner);
}

static void on_close(struct chan *ch, void *owner, int why, uint16_t close_code)
{
    struct gw_conn *h = owner;
    bool has_goodbye = chan_kind_of(ch)->codec->encode_close;
    bool is_regular = why == 0 || why == GW_ECLOSED;

    handle_ended(h, why, has_goodbye ? close_code : is_regular ? 1000 : 1006);
}

const struct chan_events handle_chan_events = {
    .on_open = on_open, .on_message = on_message, .on_drain = on_drain, .on_close = on_close};

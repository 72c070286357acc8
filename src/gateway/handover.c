/* Reload without loss: a worker that leaves hands its clients to others, in order. */
#include "gateway/handover.h"

#include "base/bytes.h"
#include "base/idmap.h"
#include "base/log.h"
#include "base/mem.h"
#include "gateway/state.h"

void handover_drain(struct gateway *g, struct worker *w)
{
    if (w->phase != WORKER_SERVING)
        return;
    w->phase = WORKER_DRAINING;
    struct wire_packet mark = {.cmd = CMD_DRAIN_MARK, .flag = WIRE_SCALAR};
    peer_send(w->peer, &mark);
    log_info("worker %s drains", w->key);
}

/* Moves the events of clients in hand aside and leaves those that may go in w->waiting. */
static void set_aside(struct gateway *g, struct worker *w)
{
    struct backlog all = backlog_take(&w->waiting);
    struct wire_packet event;
    uint64_t at_ms;
    for (; backlog_first(&all, &event, &at_ms); backlog_drop_first(&all)) {
        struct backlog *in_hand = idmap_get(w->busy, event.connection_id);
        if (in_hand)
            w->busy_bytes += wire_size(&event);
        backlog_add(in_hand ? in_hand : &w->waiting, at_ms, &event);
    }
    backlog_fini(&all);
}

void handover_drained(struct gateway *g, struct worker *w, struct span ids)
{
    if (w->phase != WORKER_DRAINING)
        return;
    w->phase = WORKER_DRAINED;
    w->busy = idmap_new();
    for (; ids.len >= 4; ids = span_skip(ids, 4)) {
        uint32_t id = get_u32be(ids.at);
        if (!idmap_get(w->busy, id))
            idmap_set(w->busy, id, mem_zalloc(sizeof(struct backlog)));
    }
    log_info("worker %s drained; %zu of its clients are in hand", w->key, idmap_len(w->busy));
    set_aside(g, w);
    struct backlog free_to_go = backlog_take(&w->waiting);
    route_hand_out(g, &free_to_go);
    route_relieve(g, w);
}

void handover_release(struct gateway *g, struct worker *w, uint32_t id)
{
    struct backlog *in_hand = w->phase == WORKER_DRAINED ? idmap_remove(w->busy, id) : NULL;
    if (!in_hand)
        return;
    size_t stamps = in_hand->events_n * sizeof(uint64_t);
    w->busy_bytes -= backlog_bytes(in_hand) - stamps;
    route_hand_out(g, in_hand);
    mem_free(in_hand);
    route_relieve(g, w);
}

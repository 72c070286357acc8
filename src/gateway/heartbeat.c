/* Finds out which clients are still there: pings, and drops who does not answer. */
#include "gateway/heartbeat.h"

#include <gw/err.h>

#include "base/mem.h"
#include "chan/chan.h"
#include "gateway/fanout.h"
#include "gateway/gateway_conf.h"
#include "gateway/state.h"
#include "proto/codec.h"

/* A tick costs a wake-up, so that short periods get few slices. */
enum { SLICE_MS_MIN = 50 };

/* RFC 6455 §5.5.2: a ping without payload. */
static const uint8_t WS_PING[] = {0x89, 0x00};

enum heartbeat_verdict heartbeat_visit(int32_t *silent_n, int64_t limit)
{
    if (limit > 0 && *silent_n >= limit * 2)
        return HEARTBEAT_DROP;
    if (*silent_n < INT32_MAX - 1) /* an even number, so that the parity stays right */
        ++*silent_n;
    if (*silent_n == 0 || (limit > 0 && *silent_n % 2 == 1))
        return HEARTBEAT_QUIET;
    return HEARTBEAT_PING;
}

static bool has_data(const struct gateway *g)
{
    /* "0" is false in PHP and not sent: Gateway::ping() of the original. */
    const char *data = g->conf->ping_data;
    return data && data[0] != '\0' && !(data[0] == '0' && data[1] == '\0');
}

bool heartbeat_counts_frames(const struct gateway *g)
{
    return g->conf->has_ping_frames && !has_data(g);
}

static void visit(struct gateway *g, struct client *c, struct fanout *data, struct fanout *frame)
{
    bool is_ws = chan_kind_of(c->chan)->codec == &ws_codec;
    if (heartbeat_counts_frames(g) && !is_ws)
        return; /* nothing can be asked that it would have to answer */
    switch (heartbeat_visit(&c->silent_n, g->conf->ping_not_response_limit)) {
    case HEARTBEAT_QUIET:
        break;
    case HEARTBEAT_PING:
        if (has_data(g))
            fanout_to(data, c);
        else if (heartbeat_counts_frames(g) && chan_is_open(c->chan))
            fanout_to(frame, c);
        break;
    case HEARTBEAT_DROP:
        g->counts.silent_n++;
        chan_destroy(c->chan, GW_ETIMEOUT);
        break;
    }
}

/* A process that was stopped, or whose machine was, does not make up for the ticks it has missed:
 * clients would be pinged and dropped without time for an answer. */
static void arm(struct gateway *g)
{
    struct heartbeat *hb = &g->heartbeat;
    hb->ticks_n++;
    /* From the beginning, so that rounding does not add up. */
    uint64_t due_ms = hb->begin_ms + hb->ticks_n * hb->period_ms / hb->slices_n;
    uint64_t now_ms = loop_now_ms(g->loop);
    if (due_ms < now_ms) {
        uint64_t slice_ms = hb->period_ms / hb->slices_n;
        hb->begin_ms += now_ms + slice_ms - due_ms;
        due_ms = now_ms + slice_ms;
    }
    timer_start(g->loop, &hb->tick, due_ms - now_ms);
}

static void on_tick(struct timer *t)
{
    struct gateway *g = CONTAINER_OF(t, struct gateway, heartbeat.tick);
    struct heartbeat_slice *slice =
        &g->heartbeat.slices[g->heartbeat.ticks_n % g->heartbeat.slices_n];
    struct fanout data, frame;
    fanout_begin(&data, g, span_str(g->conf->ping_data), 0);
    fanout_begin(&frame, g, span_of(WS_PING, sizeof(WS_PING)), FANOUT_RAW);
    /* Dropping is noticed at the end of the turn, so that nobody leaves the slice meanwhile. */
    for (uint32_t i = 0; i < slice->len; i++)
        visit(g, slice->at[i], &data, &frame);
    fanout_end(&data);
    fanout_end(&frame);
    arm(g);
}

void heartbeat_start(struct gateway *g)
{
    struct heartbeat *hb = &g->heartbeat;
    hb->period_ms = g->conf->ping_interval_ms;
    if (g->conf->ping_not_response_limit > 0)
        hb->period_ms /= 2;
    hb->slices_n = (uint32_t)(hb->period_ms / SLICE_MS_MIN);
    if (hb->slices_n > HEARTBEAT_SLICES_MAX)
        hb->slices_n = HEARTBEAT_SLICES_MAX;
    if (hb->slices_n == 0)
        hb->slices_n = 1;
    if (hb->period_ms == 0)
        return;
    hb->begin_ms = loop_now_ms(g->loop);
    hb->tick.fire = on_tick;
    arm(g);
}

void heartbeat_stop(struct gateway *g)
{
    timer_stop(g->loop, &g->heartbeat.tick);
}

void heartbeat_fini(struct gateway *g)
{
    for (size_t i = 0; i < HEARTBEAT_SLICES_MAX; i++) {
        mem_free(g->heartbeat.slices[i].at);
        g->heartbeat.slices[i] = (struct heartbeat_slice){0};
    }
}

void heartbeat_add(struct heartbeat *hb, struct client *c)
{
    if (hb->period_ms == 0)
        return; /* nobody is visited */
    struct heartbeat_slice *slice = &hb->slices[c->id % hb->slices_n];
    if (slice->len == slice->cap) {
        slice->cap = slice->cap ? slice->cap * 2 : 16;
        /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers. */
        slice->at = mem_realloc(slice->at, slice->cap * sizeof(*slice->at));
    }
    c->beat_pos = slice->len;
    slice->at[slice->len++] = c;
}

void heartbeat_remove(struct heartbeat *hb, struct client *c)
{
    if (hb->period_ms == 0)
        return;
    struct heartbeat_slice *slice = &hb->slices[c->id % hb->slices_n];
    struct client *last = slice->at[--slice->len];
    slice->at[c->beat_pos] = last;
    last->beat_pos = c->beat_pos;
}

/* How fast each client may send, and what happens to who is faster. */
#include "gateway/rates.h"

#include <inttypes.h>

#include "base/log.h"
#include "chan/chan.h"
#include "gateway/gateway_conf.h"
#include "gateway/state.h"

enum { LOOK_MS = 20 };

/* Whoever has a token again is read from; the others stay in the list. */
static void on_look(struct timer *t)
{
    struct gateway *g = CONTAINER_OF(t, struct gateway, rates.look);
    struct feeders *delayed = &g->rates.delayed;
    size_t left_n = 0;
    for (size_t i = 0; i < delayed->len; i++) {
        struct client *c = clients_find(&g->clients, delayed->ids[i]);
        if (!c)
            continue;
        if (!rate_has_token(&g->rates.messages, c->full_at, loop_now_ms(g->loop))) {
            delayed->ids[left_n++] = delayed->ids[i];
            continue;
        }
        c->is_delayed = false;
        conn_resume(chan_conn(c->chan));
    }
    delayed->len = left_n;
    if (left_n > 0)
        timer_start(g->loop, t, LOOK_MS);
}

static void delay(struct gateway *g, struct client *c)
{
    if (c->is_delayed)
        return;
    c->is_delayed = true;
    g->counts.limited_n++;
    feeders_add(&g->rates.delayed, c);
    conn_pause(chan_conn(c->chan));
    if (!timer_is_running(&g->rates.look))
        timer_start(g->loop, &g->rates.look, LOOK_MS);
}

static void end(struct gateway *g, struct client *c)
{
    static struct log_rate rate;
    g->counts.limited_n++;
    log_limited(&rate, LOG_WARN,
                "connection %" PRIu32 " sends more than %" PRId64
                " messages in a second (max_messages_per_second); closed with 1008",
                c->id, g->conf->max_messages_per_second);
    chan_close(c->chan, 1008, span_str("too many messages")); /* RFC 6455 §7.4.1: policy */
}

bool rates_allow(struct gateway *g, struct client *c)
{
    const struct rate *r = &g->rates.messages;
    uint64_t now_ms = loop_now_ms(g->loop);
    if (r->token_time == 0)
        return true;
    bool has_token = rate_take(r, &c->full_at, now_ms);
    if (g->conf->on_rate == ON_RATE_DELAY) {
        if (!rate_has_token(r, c->full_at, now_ms))
            delay(g, c);
        return true;
    }
    if (!has_token)
        end(g, c);
    return has_token;
}

void rates_init(struct gateway *g)
{
    int64_t per_second = g->conf->max_messages_per_second;
    int64_t burst_n = g->conf->message_burst > 0 ? g->conf->message_burst : per_second;
    g->rates.messages = rate_of(per_second, burst_n);
    g->rates.look.fire = on_look;
}

void rates_fini(struct gateway *g)
{
    timer_stop(g->loop, &g->rates.look);
    feeders_fini(&g->rates.delayed);
}

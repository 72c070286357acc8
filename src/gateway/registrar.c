/* Keeps every registry informed of where this gateway's inner port is. */
#include "gateway/registrar.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "chan/chan.h"
#include "chan/redial.h"
#include "gateway/gateway_conf.h"
#include "gateway/state.h"
#include "net/sock.h"
#include "proto/reg.h"

/* Ping: docs/wire.md §1, step 4. The pause before another try is the original's. */
enum { REDIAL_MS = 1000, PING_MS = 25 * 1000 };

struct registration {
    struct gateway *gateway;
    struct redial *redial;
    struct timer ping;
    bool is_up;
};

static void say(struct chan *ch, struct buf *line)
{
    if (chan_send_raw(ch, buf_span(line)) < 0)
        log_debug("a registry's queue took no line"); /* it is closing: on_close follows */
    buf_fini(line);
}

static void on_open(struct chan *ch, void *owner, const struct codec_event *ev)
{
    struct registration *r = owner;
    struct gateway *g = r->gateway;
    char address[300];
    snprintf(address, sizeof(address), "%s:%d", g->conf->lan_ip, (int)g->local_port);
    struct buf line = {0};
    sock_watch_peer(conn_fd(chan_conn(ch)));
    reg_put_gateway_connect(&line, address, g->conf->secret_key);
    say(ch, &line);
    log_info("registered %s with %s", address, redial_address(r->redial));
    r->is_up = true;
    /* A registry on this host needs no pings to keep the connection alive. */
    if (strncmp(redial_address(r->redial), "127.0.0.1", 9) != 0)
        timer_start(g->loop, &r->ping, PING_MS);
}

static void on_ping(struct timer *t)
{
    struct registration *r = CONTAINER_OF(t, struct registration, ping);
    struct chan *ch = redial_chan(r->redial);
    if (!ch)
        return;
    struct buf line = {0};
    reg_put_ping(&line);
    say(ch, &line);
    timer_start(r->gateway->loop, t, PING_MS);
}

/* A registry answers a gateway only to complain (docs/wire.md §1, step 1). */
static void on_message(struct chan *ch, void *owner, const struct codec_event *ev)
{
    static struct log_rate rate;
    struct registration *r = owner;
    log_limited(&rate, LOG_WARN, "registry %s says: %.*s", redial_address(r->redial),
                (int)(ev->payload.len < 200 ? ev->payload.len : 200), (const char *)ev->payload.at);
}

static void on_close(struct chan *ch, void *owner, int why, uint16_t close_code)
{
    struct registration *r = owner;
    timer_stop(r->gateway->loop, &r->ping);
    if (r->is_up)
        log_warn("registry %s is gone; trying again every second", redial_address(r->redial));
    r->is_up = false;
}

static const struct chan_events events = {
    .on_open = on_open, .on_message = on_message, .on_close = on_close};

static const struct chan_kind kind = {
    .codec = &text_codec,
    .codec_conf = {.message_max_bytes = REG_LINE_MAX},
    .conn_conf = {.in_max_bytes = REG_LINE_MAX,
                  .out_max_bytes = REG_LINE_MAX,
                  .close_timeout_ms = 1000,
                  .handshake_timeout_ms = 5000},
    .events = &events,
};

int registrar_start(struct gateway *g)
{
    struct registrar *rs = &g->registrar;
    const struct conf_list *to = &g->conf->register_address;
    rs->registrations = mem_zalloc(to->len * sizeof(*rs->registrations));
    for (; rs->len < to->len; rs->len++) {
        struct registration *r = &rs->registrations[rs->len];
        r->gateway = g;
        r->ping.fire = on_ping;
        r->redial =
            redial_start(g->conns, to->at[rs->len].text, &kind, &g->inner_tls, REDIAL_MS, r);
        if (!r->redial) {
            log_error("%s:%d: register_address %s: %s", to->at[rs->len].file, to->at[rs->len].line,
                      to->at[rs->len].text, strerror(errno));
            return -errno;
        }
    }
    return 0;
}

void registrar_stop(struct gateway *g)
{
    struct registrar *rs = &g->registrar;
    for (size_t i = 0; i < rs->len; i++) {
        struct registration *r = &rs->registrations[i];
        timer_stop(g->loop, &r->ping);
        r->is_up = false;
        redial_stop(r->redial);
    }
    rs->len = 0;
}

void registrar_fini(struct gateway *g)
{
    mem_free(g->registrar.registrations);
    g->registrar.registrations = NULL;
}

/* An address is known as long as one registry lists it; a registry that is away keeps its last
 * list, so that the loss of all of them disturbs nothing that flows. */
#include "mesh/registrars.h"

#include <string.h>

#include <gw/err.h>

#include "base/log.h"
#include "base/mem.h"
#include "chan/chan.h"
#include "chan/redial.h"
#include "net/sock.h"
#include "proto/reg.h"

/* As the original: GatewayWorker src/BusinessWorker.php, onRegisterConnectionClose and ping. */
enum { REDIAL_MS = 1000, PING_MS = 25 * 1000, CONNECT_TIMEOUT_MS = 5000 };

struct registrar {
    struct registrars *all;
    struct redial *redial;
    struct vec addresses; /* char * */
    struct timer ping;
    bool is_up;
    bool has_heard; /* since it came up */
    bool is_told;   /* that it is away, in the log: once until it speaks again */
    bool is_local;  /* needs no ping */
};

static void free_texts(struct vec *texts)
{
    for (size_t i = 0; i < texts->len; i++)
        mem_free(texts->at[i]);
    vec_fini(texts);
}

static bool has_text(const struct vec *texts, const char *text)
{
    for (size_t i = 0; i < texts->len; i++)
        if (strcmp(texts->at[i], text) == 0)
            return true;
    return false;
}

static void merge(struct registrars *r)
{
    r->merged.len = 0;
    for (size_t i = 0; i < r->all.len; i++) {
        const struct registrar *one = r->all.at[i];
        for (size_t k = 0; k < one->addresses.len; k++)
            if (!has_text(&r->merged, one->addresses.at[k]))
                vec_push(&r->merged, one->addresses.at[k]);
    }
}

static void send_text(struct registrar *one, const struct buf *text)
{
    struct chan *ch = redial_chan(one->redial);

    if (ch && chan_send_raw(ch, buf_span(text)) < 0)
        chan_destroy(ch, GW_EFULL); /* a registry that takes no line is as good as none */
}

static void on_ping(struct timer *t)
{
    struct registrar *one = CONTAINER_OF(t, struct registrar, ping);
    struct buf line = {0};

    reg_put_ping(&line);
    send_text(one, &line);
    buf_fini(&line);
    timer_start(conn_pool_loop(one->all->conns), &one->ping, PING_MS);
}

static void on_open(struct chan *ch, void *owner, const struct codec_event *ev)
{
    struct registrar *one = owner;
    struct buf line = {0};

    one->is_up = true;
    one->has_heard = false;
    sock_watch_peer(conn_fd(chan_conn(ch)));
    reg_put_worker_connect(&line, one->all->secret);
    if (chan_send_raw(ch, buf_span(&line)) < 0)
        chan_destroy(ch, GW_ECLOSED);
    buf_fini(&line);
    if (!one->is_local)
        timer_start(conn_pool_loop(one->all->conns), &one->ping, PING_MS);
}

static void on_list(struct registrar *one, struct reg_line *line)
{
    struct vec old = one->addresses;

    one->addresses = line->addresses;
    line->addresses = (struct vec){0};
    one->all->has_list = true;
    merge(one->all);
    one->all->on_change(one->all->owner, &one->all->merged);
    free_texts(&old);
}

static void on_message(struct chan *ch, void *owner, const struct codec_event *ev)
{
    static struct log_rate rate;
    struct registrar *one = owner;
    struct reg_line line = {0};

    one->has_heard = true;
    one->is_told = false;
    if (reg_parse(ev->payload, &line) < 0)
        log_limited(&rate, LOG_WARN, "registry %s sent a line that is no message: %.*s",
                    redial_address(one->redial), ev->payload.len < 80 ? (int)ev->payload.len : 80,
                    (const char *)ev->payload.at);
    else if (line.event == REG_BROADCAST)
        on_list(one, &line);
    reg_line_fini(&line);
}

static void on_close(struct chan *ch, void *owner, int why, uint16_t close_code)
{
    static struct log_rate rate;
    struct registrar *one = owner;

    if (one->all->is_stopped)
        return; /* there is no redial any more */
    const char *address = redial_address(one->redial);
    timer_stop(conn_pool_loop(one->all->conns), &one->ping);
    if (why != 0 && why != GW_EPROTO && one->is_up && !one->has_heard)
        log_limited(&rate, LOG_WARN,
                    "registry %s closed the connection without a list: its secret_key is another "
                    "one",
                    address);
    else if (why != 0 && !one->is_told)
        log_limited(&rate, LOG_WARN, "%s registry %s: %s; trying again every second",
                    one->is_up ? "lost" : "cannot connect to", address, gw_strerror(why));
    one->is_up = false;
    one->is_told = true;
}

static const struct chan_events events = {
    .on_open = on_open, .on_message = on_message, .on_close = on_close};

static const struct chan_kind kind = {
    .codec = &text_codec,
    .codec_conf = {.message_max_bytes = REG_LINE_MAX},
    .conn_conf = {.in_max_bytes = REG_LINE_MAX + 1,
                  .out_max_bytes = REG_LINE_MAX,
                  .close_timeout_ms = REDIAL_MS,
                  .handshake_timeout_ms = CONNECT_TIMEOUT_MS},
    .events = &events,
};

void registrars_start(struct registrars *r, struct conn_pool *conns,
                      const struct registries_conf *conf, const struct peer_tls *tls,
                      void (*on_change)(void *owner, const struct vec *addresses), void *owner)
{
    *r = (struct registrars){
        .conns = conns, .secret = conf->secret, .tls = tls, .on_change = on_change, .owner = owner};
    for (size_t i = 0; i < conf->addresses.len; i++) {
        const char *address = conf->addresses.at[i].text;
        struct registrar *one = mem_zalloc(sizeof *one);
        one->all = r;
        one->ping.fire = on_ping;
        /* By its text, as the original decides it (BusinessWorker.php:286). */
        one->is_local = strncmp(address, "127.0.0.1", 9) == 0;
        vec_push(&r->all, one);
        one->redial = redial_start(conns, address, &kind, tls, REDIAL_MS, one);
        if (!one->redial)
            log_fatal("cannot dial registry %s", address);
    }
}

void registrars_stop(struct registrars *r)
{
    if (r->is_stopped)
        return;
    r->is_stopped = true;
    for (size_t i = 0; i < r->all.len; i++) {
        struct registrar *one = r->all.at[i];
        timer_stop(conn_pool_loop(r->conns), &one->ping);
        redial_stop(one->redial);
    }
}

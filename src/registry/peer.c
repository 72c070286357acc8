/* One connection to the registry: its lines, its deadline, its part in the directory.
 *
 * A connection that announced a gateway never gets a byte: the original gateway has no handler for
 * any and dies (tests/vectors/register.json and its README). So bad lines of a gateway are answered
 * by the close alone, and a gateway hears of others only if it said worker_connect too
 * (one_connection_both_roles). */
#include "registry/peer.h"

#include <unistd.h>

#include <gw/err.h>

#include "base/crypto.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/transport.h"
#include "proto/reg.h"

enum {
    PEERS_MAX = 4096,
    LINE_MAX_BYTES = 16 * 1024, /* a gateway_connect line has about 100 */
    IN_MAX_BYTES = 2 * LINE_MAX_BYTES,
    ECHO_MAX_BYTES = 1024, /* of a bad line, in the answer */
    ROLE_MS = 60 * 1000,   /* two missed pings (25 s) of one that only pings */
    OUT_MAX_BYTES = 4 * REG_LINE_MAX,
};

static void on_message(struct chan *ch, void *owner, const struct codec_event *ev);
static void on_close(struct chan *ch, void *owner, int why, uint16_t close_code);

static const struct chan_events events = {.on_message = on_message, .on_close = on_close};

static const struct chan_kind kind = {
    .codec = &text_codec,
    .codec_conf = {.message_max_bytes = LINE_MAX_BYTES},
    .conn_conf = {.in_max_bytes = IN_MAX_BYTES,
                  .out_max_bytes = OUT_MAX_BYTES,
                  .close_timeout_ms = 2000,
                  .handshake_timeout_ms = PEER_FIRST_LINE_MS},
    .events = &events,
};

static const char *from_text(const struct peer *p, char out[ADDR_TEXT_MAX])
{
    addr_text(conn_peer(chan_conn(p->chan)), out);
    return out;
}

static void close_silently(struct peer *p)
{
    chan_close(p->chan, 0, span_of(NULL, 0));
}

/* A worker that does not read would keep an old list for ever: it is better off dialling again. */
static void send_list(struct peer *p)
{
    static struct log_rate rate;
    char from[ADDR_TEXT_MAX];
    int rc = chan_send_raw(p->chan, directory_line(&p->host->directory));

    p->told_version = p->host->directory.version;
    if (rc != GW_EFULL)
        return;
    p->host->send_fail_n++;
    log_limited(&rate, LOG_WARN,
                "worker %s does not read the list of gateways; closed, so that it connects again",
                from_text(p, from));
    chan_destroy(p->chan, GW_EFULL);
}

/* Gateways that come and go in one turn are told together: when a rack restarts, one list per
 * worker leaves instead of one per gateway and worker. */
static void broadcast(struct task *t)
{
    struct peer_host *h = CONTAINER_OF(t, struct peer_host, broadcast);
    struct list *workers = &h->directory.workers;

    for (struct list *n = workers->next; n != workers; n = n->next) {
        struct peer *p = CONTAINER_OF(n, struct peer, member.worker_node);
        if (p->told_version != h->directory.version)
            send_list(p);
    }
}

static void list_changed(struct peer_host *h)
{
    loop_at_flush(h->loop, &h->broadcast);
}

static bool is_key_right(struct peer *p, const struct reg_line *line)
{
    static struct log_rate rate;
    char from[ADDR_TEXT_MAX];

    if (line->is_secret_text &&
        crypto_is_equal(span_str(line->secret), span_str(p->host->secret_key)))
        return true;
    log_limited(&rate, LOG_WARN,
                "%s showed a wrong secret_key; closed. The key must be the same in [registry], in "
                "gateways, workers and client libraries",
                from_text(p, from));
    return false;
}

static void take_gateway(struct peer *p, const struct reg_line *line)
{
    static struct log_rate rate;
    char from[ADDR_TEXT_MAX];

    if (!line->address) {
        log_limited(&rate, LOG_WARN, "gateway %s announced no address; closed", from_text(p, from));
        close_silently(p);
        return;
    }
    if (!is_key_right(p, line)) {
        close_silently(p);
        return;
    }
    int rc = directory_add_gateway(&p->host->directory, &p->member, line->address);
    if (rc < 0) {
        log_limited(&rate, LOG_WARN, "gateway %s: its address cannot be listed (%s); closed",
                    from_text(p, from), gw_strerror(rc));
        close_silently(p);
        return;
    }
    log_debug("gateway %s from %s", line->address, from_text(p, from));
    timer_stop(p->host->loop, &p->deadline);
    list_changed(p->host);
}

static void take_worker(struct peer *p, const struct reg_line *line)
{
    if (!is_key_right(p, line)) {
        close_silently(p);
        return;
    }
    directory_add_worker(&p->host->directory, &p->member);
    timer_stop(p->host->loop, &p->deadline);
    send_list(p);
}

static void take_ping(struct peer *p, const struct reg_line *line)
{
    if (!p->member.address && !p->member.is_worker)
        timer_start(p->host->loop, &p->deadline, ROLE_MS);
}

static void take_unknown(struct peer *p, const struct reg_line *line)
{
    static struct log_rate rate;
    char from[ADDR_TEXT_MAX];

    log_limited(&rate, LOG_WARN, "%s sent an event that no registry knows; closed",
                from_text(p, from));
    close_silently(p);
}

/* The words of the original, because people search for them (register.json bad_json). */
static void answer_bad_line(struct peer *p, struct span line)
{
    struct span shown = span_of(line.at, line.len < ECHO_MAX_BYTES ? line.len : ECHO_MAX_BYTES);
    struct buf answer = {0};
    char ip[ADDR_TEXT_MAX];

    addr_ip_text(conn_peer(chan_conn(p->chan)), ip);
    buf_printf(&answer,
               "Bad request for Register service. Request info(IP:%s, Request Buffer:", ip);
    buf_put_span(&answer, shown);
    buf_puts(&answer, "). See http://doc2.workerman.net/register-auth-timeout.html");
    if (chan_send(p->chan, buf_span(&answer), false) < 0)
        p->host->send_fail_n++;
    buf_fini(&answer);
}

static void refuse_bad_line(struct peer *p, struct span line)
{
    static struct log_rate rate;
    char from[ADDR_TEXT_MAX];

    log_limited(
        &rate, LOG_WARN,
        "%s sent %zu bytes that are no request to a registry; closed. Only gateways, workers "
        "and client libraries connect here; browsers belong on a gateway's listen address",
        from_text(p, from), line.len);
    if (!p->member.address)
        answer_bad_line(p, line);
    close_silently(p);
}

typedef void take_fn(struct peer *p, const struct reg_line *line);

static void on_message(struct chan *ch, void *owner, const struct codec_event *ev)
{
    static take_fn *const take[] = {
        [REG_GATEWAY_CONNECT] = take_gateway,
        [REG_WORKER_CONNECT] = take_worker,
        [REG_PING] = take_ping,
        [REG_BROADCAST] = take_unknown,
        [REG_OTHER] = take_unknown,
    };
    struct peer *p = owner;
    struct reg_line line;

    p->host->lines_n++;
    if (reg_parse(ev->payload, &line) == 0)
        take[line.event](p, &line);
    else
        refuse_bad_line(p, ev->payload);
    reg_line_fini(&line);
}

static void on_close(struct chan *ch, void *owner, int why, uint16_t close_code)
{
    static struct log_rate rate;
    struct peer *p = owner;
    struct peer_host *h = p->host;
    char from[ADDR_TEXT_MAX];

    if (why == GW_ETOOBIG)
        log_limited(&rate, LOG_WARN, "%s sent a line of more than %d bytes; closed",
                    from_text(p, from), LINE_MAX_BYTES);
    if (directory_leave(&h->directory, &p->member))
        list_changed(h);
    timer_stop(h->loop, &p->deadline);
    list_remove(&p->node);
    h->peers_n--;
    mem_free(p);
    if (h->on_gone)
        h->on_gone(h);
}

static void on_deadline(struct timer *t)
{
    static struct log_rate rate;
    struct peer *p = CONTAINER_OF(t, struct peer, deadline);
    char from[ADDR_TEXT_MAX];

    log_limited(&rate, LOG_WARN,
                "%s connected to the registry but did not say what it is; closed. If it is a "
                "gateway or worker, look whether something delays it or speaks another protocol",
                from_text(p, from));
    close_silently(p);
}

/* The oldest that has not said what it is; NULL when all have. */
static struct peer *oldest_stranger(const struct peer_host *h)
{
    for (struct list *n = h->peers.next; n != &h->peers; n = n->next) {
        struct peer *p = CONTAINER_OF(n, struct peer, node);
        if (!p->member.address && !p->member.is_worker && !chan_is_closing(p->chan))
            return p;
    }
    return NULL;
}

/* Whoever has no key could otherwise take all places, by a ping each minute. */
static bool make_room(struct peer_host *h)
{
    static struct log_rate rate;
    char from[ADDR_TEXT_MAX];

    if (h->peers_n < h->peers_max)
        return true;
    struct peer *leaving = oldest_stranger(h);
    if (!leaving)
        return false;
    log_limited(&rate, LOG_WARN,
                "%s closed to make room: %zu connections are open, and it has not said what it is",
                from_text(leaving, from), h->peers_n);
    chan_destroy(leaving->chan, GW_EFULL);
    return true;
}

void peer_accept(struct peer_host *h, int fd, const struct addr *from,
                 const struct transport *transport, void *transport_state)
{
    static struct log_rate rate;
    char text[ADDR_TEXT_MAX];

    if (!make_room(h)) {
        addr_text(from, text);
        log_limited(&rate, LOG_WARN,
                    "%s refused: %zu connections are open, more than a registry can serve; look at "
                    "`gatehouse connections` for what holds them",
                    text, h->peers_n);
        transport->free(transport_state);
        close(fd);
        return;
    }
    struct peer *p = mem_zalloc(sizeof *p);
    p->host = h;
    p->deadline.fire = on_deadline;
    member_init(&p->member);
    p->chan = chan_new(h->conns, fd, from, transport, transport_state, &kind, p);
    if (!p->chan) {
        mem_free(p);
        return;
    }
    list_append(&h->peers, &p->node);
    h->peers_n++;
    timer_start(h->loop, &p->deadline, PEER_FIRST_LINE_MS);
}

void peer_host_init(struct peer_host *h, struct loop *l, struct conn_pool *p,
                    const char *secret_key)
{
    *h = (struct peer_host){.loop = l,
                            .conns = p,
                            .secret_key = secret_key,
                            .peers_max = PEERS_MAX,
                            .broadcast = {.run = broadcast}};
    list_init(&h->peers);
    directory_init(&h->directory);
}

void peer_host_fini(struct peer_host *h)
{
    task_cancel(h->loop, &h->broadcast);
    directory_fini(&h->directory);
}

void peer_host_close_all(struct peer_host *h)
{
    for (struct list *n = h->peers.next; n != &h->peers; n = n->next)
        close_silently(CONTAINER_OF(n, struct peer, node));
}

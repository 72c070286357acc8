/* All connections of the load generator and the loop that serves them. */
#include "bench/fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "bench/inflater.h"
#include "bench/ws_client.h"

enum {
    EVENTS_MAX = 8192,
    IN_BYTES = 1 << 18,
    SHAKING_MAX = 64, /* handshakes in flight: below every backlog */
    PER_SOURCE = 10000,
    OPEN_WAIT_US = 30 * 1000 * 1000,
    SETTLE_WAIT_US = 20 * 1000 * 1000,
    PROBE_WAIT_US = 300 * 1000,
    TICK_SLACK_US = 1000, /* how late a tick may be while there is something to read */
};

static uint8_t in[IN_BYTES + (1 << 22)];    /* the second part: a long message's beginning */
static uint8_t units[IN_BYTES + (1 << 22)]; /* frames' payloads put together */

void fleet_init(struct fleet *f, const struct fleet_conf *conf)
{
    f->conf = *conf;
    f->clients_n = (size_t)conf->rooms_n * conf->members_n;
    f->clients = calloc(f->clients_n, sizeof *f->clients);
    uint32_t *expected =
        calloc(f->clients_n * (conf->publishers_n ? conf->publishers_n : 1), sizeof *expected);
    f->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (!f->clients || !expected || f->epoll_fd < 0)
        abort();
    for (size_t i = 0; i < f->clients_n; i++) {
        struct client *c = &f->clients[i];
        c->fd = -1;
        c->expected = expected + i * conf->publishers_n;
        c->seat = (struct seat){.purpose = conf->purpose,
                                .room = (unsigned)i / conf->members_n,
                                .member = (unsigned)i,
                                .payload_len = conf->payload_len};
    }
    f->tick_us = UINT32_MAX;
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    f->start_ns = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint32_t fleet_now_us(struct fleet *f)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    uint64_t ns = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec - f->start_ns;
    f->now_us = (uint32_t)(ns / 1000);
    return f->now_us;
}

static void lose(struct fleet *f, struct client *c)
{
    if (c->state == CLIENT_OPEN)
        f->open_n--;
    f->gone_n++;
    client_close(c);
}

void fleet_flush(struct fleet *f, struct client *c)
{
    if (c->state == CLIENT_GONE)
        return;
    if (client_send(c) < 0) {
        lose(f, c);
        return;
    }
    bool wants = outbuf_pending(&c->out) > 0;
    if (wants == c->is_armed)
        return;
    c->is_armed = wants;
    struct epoll_event ev = {.events = (c->is_deaf ? 0u : EPOLLIN) | (wants ? EPOLLOUT : 0u),
                             .data.ptr = c};
    epoll_ctl(f->epoll_fd, EPOLL_CTL_MOD, c->fd, &ev);
}

void fleet_deafen(struct fleet *f, struct client *c)
{
    struct epoll_event ev = {.events = c->is_armed ? EPOLLOUT : 0u, .data.ptr = c};
    c->is_deaf = true;
    epoll_ctl(f->epoll_fd, EPOLL_CTL_MOD, c->fd, &ev);
}

/* ---- what arrives ---- */

static void check_probe(struct fleet *f, struct client *c, const struct stamp *s,
                        const uint8_t *payload)
{
    c->probe_seen = s->number;
    for (size_t i = STAMP_LEN; i < f->conf.payload_len; i++)
        if (payload[i] != 'x') {
            f->broken_n++;
            return;
        }
}

static void on_message(struct fleet *f, struct client *c, const uint8_t *at, size_t len)
{
    size_t pos = f->stamp_pos;
    if (len < pos + STAMP_LEN || !stamp_is_at(at + pos)) {
        pos = stamp_find(at, len);
        if (pos == STAMP_NONE) {
            f->others_n++;
            if (f->conf.adapter->on_other)
                f->conf.adapter->on_other(&c->seat, at, len, &c->out);
            if (f->on_other)
                f->on_other(f, c, at, len);
            if (outbuf_pending(&c->out) > 0)
                fleet_flush(f, c);
            return;
        }
        f->stamp_pos = pos;
    }
    f->message_len = len;
    if (len - pos < f->conf.payload_len) {
        f->broken_n++;
        return;
    }
    struct stamp s = stamp_read(at + pos);
    if (s.kind == STAMP_COUNTED && f->on_stamp)
        f->on_stamp(f, c, &s);
    else
        check_probe(f, c, &s, at + pos);
}

static void on_compressed(struct fleet *f, struct client *c, const struct ws_client_frame *frame)
{
    const uint8_t *message;
    long len = inflater_run(frame->payload, frame->len, &message);
    if (len < 0) {
        f->broken_n++;
        return;
    }
    f->compressed_n++;
    on_message(f, c, message, (size_t)len);
}

static void on_frame(struct fleet *f, struct client *c, const struct ws_client_frame *frame)
{
    if (frame->opcode == WS_PING) {
        ws_client_put(&c->out, WS_PONG, frame->payload, frame->len);
        fleet_flush(f, c);
    } else if (frame->opcode == WS_CLOSE) {
        lose(f, c);
    } else if (frame->is_compressed) {
        on_compressed(f, c, frame);
    } else if (frame->opcode != WS_PONG) {
        on_message(f, c, frame->payload, frame->len);
    }
}

static void take_units(struct fleet *f, struct client *c, size_t len)
{
    size_t at = 0;
    const uint8_t *payload;
    size_t payload_len;
    for (size_t n; at < len; at += n) {
        n = f->conf.adapter->take(units + at, len - at, &payload, &payload_len);
        if (n == 0)
            break;
        on_message(f, c, payload, payload_len);
    }
    if (c->state != CLIENT_GONE)
        rest_keep(&c->unit_rest, units + at, len - at);
}

static void take_frames(struct fleet *f, struct client *c, uint8_t *at, size_t len)
{
    struct ws_client_frame frame;
    bool has_units = f->conf.adapter->take;
    size_t units_len = has_units ? c->unit_rest.len : 0;
    if (units_len > 0)
        memcpy(units, c->unit_rest.at, units_len);
    while (c->state == CLIENT_OPEN) {
        ssize_t n = ws_client_get(at, len, &frame);
        if (n < 0) {
            fprintf(stderr, "load: a frame that is none: %02x %02x\n", at[0], at[1]);
            lose(f, c);
            return;
        }
        if (n == 0)
            break;
        at += n;
        len -= (size_t)n;
        if (has_units && frame.opcode <= WS_BINARY) {
            memcpy(units + units_len, frame.payload, frame.len);
            units_len += frame.len;
        } else {
            on_frame(f, c, &frame);
        }
    }
    if (c->state == CLIENT_OPEN && has_units)
        take_units(f, c, units_len);
    if (c->state == CLIENT_OPEN)
        rest_keep(&c->frame_rest, at, len);
}

/* The bytes of the answer, 0 when it is not complete or was refused. */
static size_t take_answer(struct fleet *f, struct client *c, const uint8_t *at, size_t len)
{
    ssize_t n = ws_client_check((const char *)at, len);
    if (n < 0) {
        fprintf(stderr, "load: handshake refused: %.*s\n", (int)(len < 200 ? len : 200), at);
        lose(f, c);
    }
    if (n == 0)
        rest_keep(&c->frame_rest, at, len);
    if (n <= 0)
        return 0;
    c->state = CLIENT_OPEN;
    f->open_n++;
    f->conf.adapter->join(&c->seat, &c->out);
    fleet_flush(f, c);
    return (size_t)n;
}

static void take_records(struct fleet *f, struct client *c)
{
    ssize_t n = client_read(c, in, IN_BYTES);
    fleet_now_us(f);
    ssize_t content = n > 0 ? records_take(&c->records, in, (size_t)n) : n;
    if (content < 0)
        lose(f, c);
    else if (content > 0)
        f->on_followed(f, c, (size_t)content);
}

static void on_readable(struct fleet *f, struct client *c)
{
    if (c->is_follower) {
        take_records(f, c);
        return;
    }
    size_t len = c->frame_rest.len;
    if (len > sizeof in - IN_BYTES) {
        fprintf(stderr, "load: a message is too long\n");
        lose(f, c);
        return;
    }
    if (len > 0)
        memcpy(in, c->frame_rest.at, len);
    c->frame_rest.len = 0;
    ssize_t n = client_read(c, in + len, IN_BYTES);
    fleet_now_us(f);
    if (n < 0) {
        lose(f, c);
        return;
    }
    len += (size_t)n;
    size_t used = 0;
    if (c->state == CLIENT_SHAKING) {
        used = take_answer(f, c, in, len);
        if (used == 0)
            return;
    }
    take_frames(f, c, in + used, len - used);
}

void fleet_turn(struct fleet *f, uint32_t wait_us)
{
    static struct epoll_event ready[EVENTS_MAX];
    uint32_t most_us = f->is_spinning ? 0 : wait_us;
    struct timespec wait = {most_us / 1000000, (long)(most_us % 1000000) * 1000};
    uint32_t before_us = f->now_us;
    int n = epoll_pwait2(f->epoll_fd, ready, EVENTS_MAX, &wait, NULL);
    fleet_now_us(f);
    if (n == 0)
        f->idle_us += f->now_us - before_us;
    for (int i = 0; i < n; i++) {
        struct client *c = ready[i].data.ptr;
        if ((ready[i].events & EPOLLOUT) && c->state != CLIENT_GONE)
            fleet_flush(f, c);
        if ((ready[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && c->state != CLIENT_GONE) {
            if (c->is_deaf)
                lose(f, c); /* the server gave it up */
            else
                on_readable(f, c);
        }
        if (f->on_tick && f->now_us >= (uint64_t)f->tick_us + TICK_SLACK_US)
            f->on_tick(f);
    }
    if (f->on_tick && f->now_us >= f->tick_us)
        f->on_tick(f);
}

void fleet_run_until(struct fleet *f, uint32_t until_us)
{
    while (fleet_now_us(f) < until_us) {
        uint32_t next = f->on_tick && f->tick_us < until_us ? f->tick_us : until_us;
        fleet_turn(f, next > f->now_us ? next - f->now_us : 0);
    }
}

/* ---- beginning and end ---- */

enum { READ_AHEAD_BYTES = 64 * 1024 };

static SSL_CTX *new_tls(const struct fleet_conf *conf)
{
    SSL_CTX *tls = conf->has_tls ? SSL_CTX_new(TLS_client_method()) : NULL;
    if (!tls)
        return NULL;
    /* It is the server's speed that is tested, not its certificate, nor how slowly we read: one
     * call for several records, as there is one for several frames without TLS. */
    SSL_CTX_set_verify(tls, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(tls, 1);
    SSL_CTX_set_default_read_buffer_len(tls, READ_AHEAD_BYTES);
    return tls;
}

static unsigned source_of(const struct fleet *f, const struct client *c)
{
    return f->conf.source + c->seat.member / PER_SOURCE;
}

/* The handshake's request leaves as soon as the socket is connected. */
static void shake(struct fleet *f, struct client *c)
{
    char path[128];
    struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c};
    c->state = CLIENT_SHAKING;
    c->is_armed = true;
    epoll_ctl(f->epoll_fd, EPOLL_CTL_ADD, c->fd, &ev);
    f->conf.adapter->path(&c->seat, path, sizeof path);
    ws_client_ask(&c->out, path, f->conf.adapter->protocol, f->conf.has_deflate);
}

int fleet_begin(struct fleet *f, struct client *c)
{
    int rc = client_begin(c, f->conf.port, source_of(f, c));
    if (rc == 0)
        shake(f, c);
    return rc;
}

static int open_one(struct fleet *f, struct client *c, SSL_CTX *tls)
{
    int rc = client_dial(c, f->conf.port, source_of(f, c), tls);
    if (rc < 0) {
        fprintf(stderr, "load: connection %u: %s\n", c->seat.member, strerror(-rc));
        return -1;
    }
    shake(f, c);
    fleet_flush(f, c);
    return 0;
}

int fleet_open(struct fleet *f)
{
    SSL_CTX *tls = new_tls(&f->conf);
    uint32_t deadline = fleet_now_us(f) + OPEN_WAIT_US;
    int rc = 0;
    size_t next = 0;
    while (rc == 0 && f->open_n < f->clients_n && f->gone_n == 0 && f->now_us < deadline) {
        if (next < f->clients_n && next - f->open_n < SHAKING_MAX)
            rc = open_one(f, &f->clients[next++], tls);
        fleet_turn(f, next < f->clients_n && next - f->open_n < SHAKING_MAX ? 0 : 10000);
    }
    SSL_CTX_free(tls);
    if (f->open_n == f->clients_n)
        return 0;
    fprintf(stderr, "load: only %zu of %zu clients are connected\n", f->open_n, f->clients_n);
    return -1;
}

static size_t reached_n(const struct fleet *f, uint32_t number)
{
    size_t n = 0;
    for (size_t i = 0; i < f->clients_n; i++)
        n += f->clients[i].probe_seen == number;
    return n;
}

static bool is_everybody_welcome(const struct fleet *f)
{
    for (size_t i = 0; i < f->clients_n; i++)
        if (!f->clients[i].seat.is_welcome)
            return false;
    return true;
}

int fleet_settle(struct fleet *f)
{
    size_t step = f->conf.purpose == FOR_ECHO ? 1 : f->conf.members_n;
    uint32_t deadline = fleet_now_us(f) + SETTLE_WAIT_US;
    while (f->conf.adapter->has_greeting && f->now_us < deadline && !is_everybody_welcome(f))
        fleet_turn(f, 5000);
    for (uint32_t number = 1; f->now_us < deadline; number++) {
        struct stamp probe = {STAMP_PROBE, 0, number, f->now_us};
        for (size_t i = 0; i < f->clients_n; i += step) {
            fleet_publish(f, &f->clients[i], &probe);
            fleet_flush(f, &f->clients[i]);
        }
        uint32_t until = fleet_now_us(f) + PROBE_WAIT_US;
        while (fleet_now_us(f) < until && reached_n(f, number) < f->clients_n)
            fleet_turn(f, 5000);
        if (reached_n(f, number) == f->clients_n)
            return 0;
    }
    fprintf(stderr, "load: %zu of %zu clients are in their room; %zu were closed\n",
            f->clients_n - reached_n(f, 0), f->clients_n, f->gone_n);
    return -1;
}

int fleet_follow(struct fleet *f)
{
    const struct fleet_conf *conf = &f->conf;
    for (size_t i = 0; conf->has_tls && conf->decrypt_every > 1 && i < f->clients_n; i++) {
        size_t place = i % conf->members_n;
        if (place < conf->publishers_n || place % conf->decrypt_every == 0)
            continue;
        if (client_follow(&f->clients[i]) < 0) {
            fprintf(stderr, "load: client %zu cannot follow: no TLS 1.3, or not at rest\n", i);
            return -1;
        }
    }
    return 0;
}

size_t fleet_frame_bytes(const struct fleet *f)
{
    size_t head = f->message_len < 126 ? 2 : f->message_len <= UINT16_MAX ? 4 : 10;
    return head + f->message_len;
}

void fleet_close(struct fleet *f)
{
    for (size_t i = 0; i < f->clients_n; i++) {
        if (f->clients[i].state != CLIENT_GONE)
            client_close(&f->clients[i]);
        free(f->clients[i].envelope);
    }
    if (f->clients_n > 0)
        free(f->clients[0].expected);
    free(f->clients);
    close(f->epoll_fd);
}

/* ---- sending ---- */

void fleet_publish(struct fleet *f, struct client *c, const struct stamp *s)
{
    static uint8_t message[1 << 16];
    if (c->state != CLIENT_OPEN)
        return;
    if (!c->envelope) {
        c->envelope = calloc(1, sizeof *c->envelope);
        if (!c->envelope)
            abort();
        f->conf.adapter->envelope(&c->seat, c->envelope);
    }
    f->published_n++;
    const struct envelope *e = c->envelope;
    uint8_t *payload = message + e->head_len;
    memcpy(message, e->head, e->head_len);
    stamp_write(payload, s);
    memset(payload + STAMP_LEN, 'x', f->conf.payload_len - STAMP_LEN);
    memcpy(payload + f->conf.payload_len, e->tail, e->tail_len);
    ws_client_put(&c->out, f->conf.adapter->is_binary ? WS_BINARY : WS_TEXT, message,
                  e->head_len + f->conf.payload_len + e->tail_len);
}

struct client *fleet_publisher(struct fleet *f, unsigned sender)
{
    unsigned room = sender / f->conf.publishers_n;
    return &f->clients[(size_t)room * f->conf.members_n + sender % f->conf.publishers_n];
}

/* docs/wire.md §4 is what happens to sessions here. */
#include "worker/event.h"

#include <errno.h>

#include <gw/gateway.h>

#include "base/bytes.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/mem.h"
#include "client/command.h"
#include "proto/client_id.h"
#include "worker/dispatch.h"
#include "worker/request.h"
#include "worker/self.h"
#include "worker/verdict.h"

enum { BUFFER_KEPT_MAX = 64 * 1024 };

int event_fill(struct event *e, struct client *client, const struct wire_packet *p)
{
    size_t size = p->ext.len + p->body.len;
    uint8_t *at = buf_try_reserve(&e->bytes, size + 1);

    if (!at)
        return -ENOMEM;
    if (p->ext.len > 0)
        memcpy(at, p->ext.at, p->ext.len);
    if (p->body.len > 0)
        memcpy(at + p->ext.len, p->body.at, p->body.len);
    at[size] = '\0'; /* a message printed as text by mistake ends at least here */
    buf_commit(&e->bytes, size);
    e->client = client;
    e->packet = *p;
    e->packet.ext = span_of(at, p->ext.len);
    e->packet.body = span_of(at + p->ext.len, p->body.len);
    if (p->flag & WIRE_IP6 && p->ext.len >= WIRE_IP6_BYTES) {
        memcpy(e->ip6, at, WIRE_IP6_BYTES);
        e->packet.ext = span_skip(e->packet.ext, WIRE_IP6_BYTES);
    } else {
        e->packet.flag &= (uint8_t)~WIRE_IP6;
    }
    return 0;
}

static void shrink(struct buf *b)
{
    if (b->cap > BUFFER_KEPT_MAX)
        buf_fini(b);
    else
        buf_clear(b);
}

void event_clear(struct event *e)
{
    shrink(&e->bytes);
    shrink(&e->fetched);
    e->client = NULL;
}

void event_fini(struct event *e)
{
    buf_fini(&e->bytes);
    buf_fini(&e->fetched);
}

/* ---- what the callback sees ---- */

static char *put_octet(char *at, uint32_t octet)
{
    if (octet >= 100)
        *at++ = (char)('0' + octet / 100);
    if (octet >= 10)
        *at++ = (char)('0' + octet / 10 % 10);
    *at++ = (char)('0' + octet % 10);
    return at;
}

static void ip4_text(uint32_t ip, char out[16])
{
    char *at = out;

    for (int shift = 24; shift >= 0; shift -= 8) {
        at = put_octet(at, ip >> shift & 0xff);
        *at++ = shift > 0 ? '.' : '\0';
    }
}

static void introduce(struct event *e)
{
    const struct wire_packet *p = &e->packet;

    client_id_text((struct client_id){.ip = p->local_ip,
                                      .port = p->local_port,
                                      .connection_id = p->connection_id},
                   e->who.id);
    if (p->flag & WIRE_IP6)
        inet_ntop(AF_INET6, e->ip6, e->ip, sizeof(e->ip));
    else
        ip4_text(p->client_ip, e->ip);
    if (e->gateway_ip[0] == '\0' || e->gateway_ip_of != p->local_ip) { /* another event's before */
        e->gateway_ip_of = p->local_ip;
        ip4_text(p->local_ip, e->gateway_ip);
    }
    e->who.ip = e->ip;
    e->who.gateway_ip = e->gateway_ip;
    e->who.port = p->client_port;
    e->who.gateway_port = p->gateway_port;
    e->who.is_binary = p->flag & WIRE_BINARY;
    e->who.session = &e->session.handle;
    e->who.close_code = 0;
    e->who.close_reason = gw_bytes("", 0);
}

/* ---- the session ---- */

/* Into e->fetched; false when the gateway did not tell, which leaves the packet's session as the
 * best that is known. */
static bool fetch(struct worker *w, struct event *e)
{
    static struct log_rate rate;
    struct wire_packet ask = command_of(CMD_GET_SESSION_BY_CLIENT_ID);
    struct fanout_target target = {.at = {.ip = e->packet.local_ip, .port = e->packet.local_port}};
    struct fanout f = {.targets = &target, .n = 1};

    ask.connection_id = e->packet.connection_id;
    w->mesh.gw.io->ask(&w->mesh.gw, &ask, &f);
    if (target.rc < 0)
        log_limited(&rate, LOG_WARN, "the session of client %s cannot be fetched: %s", e->who.id,
                    gw_strerror(target.rc));
    else if (!span_is(buf_span(&target.answer), "N;") &&   /* the client is gone */
             !span_is(buf_span(&target.answer), "a:0:{}")) /* events bring no bytes for this */
        buf_put_span(&e->fetched, buf_span(&target.answer));
    buf_fini(&target.answer);
    return target.rc == 0;
}

/* An event brings the session as it was when the gateway sent it. That may have been before our
 * last change arrived there; then the gateway is asked, which it answers after the change. */
static void open_session(struct worker *w, struct event *e)
{
    struct client *c = e->client;
    struct span raw = e->packet.ext;
    bool is_over = e->packet.cmd == CMD_ON_CLOSE;

    if (c->has_own_session && !is_over && crypto_crc32(raw) != c->own_session_crc && fetch(w, e)) {
        raw = buf_span(&e->fetched);
        c->own_session_crc = crypto_crc32(raw);
    }
    session_init(&e->session, raw, is_over);
}

/* What the gateway will have, when the changes of this event have arrived. */
static void keep_version(struct client *c, struct span session)
{
    c->own_session_crc = crypto_crc32(session);
    c->has_own_session = true;
}

static void close_session(struct worker *w, struct event *e)
{
    struct wire_packet p = command_of(CMD_SET_SESSION);
    struct buf now = {0};

    if (e->packet.cmd != CMD_ON_CLOSE && session_is_changed(&e->session, &now)) {
        struct gateway_at at = {.ip = e->packet.local_ip, .port = e->packet.local_port};
        p.connection_id = e->packet.connection_id;
        p.ext = buf_span(&now);
        int rc = w->mesh.gw.io->send(&w->mesh.gw, at, &p);
        if (rc == 0)
            keep_version(e->client, p.ext);
        else if (rc != GW_ENOGATEWAY) /* gone with its clients: nothing to write to */
            log_error("the session of client %s was not written: %s (%zu bytes)", e->who.id,
                      gw_strerror(rc), now.len);
    } else if (e->session.is_replaced) {
        keep_version(e->client, e->session.raw);
    }
    buf_fini(&now);
    session_fini(&e->session);
}

/* ---- the callback ---- */

static void on_connect(struct worker *w, struct event *e)
{
    if (w->module->on_connect)
        w->module->on_connect(&w->mesh.gw, &e->who);
}

static void on_websocket_connect(struct worker *w, struct event *e)
{
    if (!w->module->on_websocket_connect)
        return;
    struct gw_request *request = request_new(e->packet.body);
    w->module->on_websocket_connect(&w->mesh.gw, &e->who, request);
    request_free(request);
}

static void answer(struct worker *w, const struct event *e, uint8_t cmd, struct span body)
{
    struct wire_packet p = command_of(cmd);
    struct gateway_at at = {.ip = e->packet.local_ip, .port = e->packet.local_port};
    p.connection_id = e->packet.connection_id;
    p.body = body;
    int rc = w->mesh.gw.io->send(&w->mesh.gw, at, &p);
    if (rc < 0 && rc != GW_ENOGATEWAY) /* gone with its clients */
        log_error("%s for client %s was not sent: %s", wire_cmd_name(cmd), e->who.id,
                  gw_strerror(rc));
}

/* The events of a client come one after another: all before this one are done. */
static void on_broken(struct worker *w, struct event *e)
{
    answer(w, e, CMD_FINISHED, span_of(NULL, 0));
}

/* Back to the gateway, in front of whatever the callbacks below send to the client. */
static void tell_verdict(struct worker *w, const struct event *e, const struct gw_answer *a)
{
    struct buf body = {0};
    verdict_put(a, &body);
    answer(w, e, CMD_JUDGE, buf_span(&body));
    buf_fini(&body);
}

/* The gateway holds the handshake until it is judged. What follows a yes is the same event, so that
 * nothing of the client comes in between. */
static void on_handshake(struct worker *w, struct event *e)
{
    struct gw_answer answer = {.request = request_new(e->packet.body)};
    if (w->module->on_handshake)
        w->module->on_handshake(&w->mesh.gw, &e->who, answer.request, &answer);
    tell_verdict(w, e, &answer);
    if (answer.subprotocol.len > 0)
        request_set_subprotocol(answer.request, buf_cstr(&answer.subprotocol));
    if (answer.status == 0 && w->module->on_websocket_connect)
        w->module->on_websocket_connect(&w->mesh.gw, &e->who, answer.request);
    request_free(answer.request);
    verdict_fini(&answer);
}

static void on_message(struct worker *w, struct event *e)
{
    if (w->module->on_message)
        w->module->on_message(&w->mesh.gw, &e->who,
                              gw_bytes(e->packet.body.at, e->packet.body.len));
}

enum { NO_GOODBYE = 1006 };

static void read_goodbye(struct event *e)
{
    struct span goodbye = e->packet.body;
    e->who.close_code = NO_GOODBYE;
    if (goodbye.len < sizeof(uint16_t))
        return;
    e->who.close_code = get_u16be(goodbye.at);
    goodbye = span_skip(goodbye, sizeof(uint16_t));
    e->who.close_reason = gw_bytes(goodbye.at, goodbye.len);
}

static void on_close(struct worker *w, struct event *e)
{
    read_goodbye(e);
    if (w->module->on_close)
        w->module->on_close(&w->mesh.gw, &e->who);
}

static void on_buffer_full(struct worker *w, struct event *e)
{
    if (w->module->on_buffer_full)
        w->module->on_buffer_full(&w->mesh.gw, &e->who);
}

static void on_buffer_drain(struct worker *w, struct event *e)
{
    if (w->module->on_buffer_drain)
        w->module->on_buffer_drain(&w->mesh.gw, &e->who);
}

static void (*const callbacks[256])(struct worker *w, struct event *e) = {
    [CMD_ON_CONNECT] = on_connect,         [CMD_ON_WEBSOCKET_CONNECT] = on_websocket_connect,
    [CMD_ON_HANDSHAKE] = on_handshake,     [CMD_ON_BROKEN] = on_broken,
    [CMD_ON_MESSAGE] = on_message,         [CMD_ON_CLOSE] = on_close,
    [CMD_ON_BUFFER_FULL] = on_buffer_full, [CMD_ON_BUFFER_DRAIN] = on_buffer_drain,
};

static const uint8_t activities[256] = {
    [CMD_ON_CONNECT] = ACTIVITY_ON_CONNECT,
    [CMD_ON_WEBSOCKET_CONNECT] = ACTIVITY_ON_WEBSOCKET_CONNECT,
    [CMD_ON_HANDSHAKE] = ACTIVITY_ON_HANDSHAKE,
    [CMD_ON_MESSAGE] = ACTIVITY_ON_MESSAGE,
    [CMD_ON_CLOSE] = ACTIVITY_ON_CLOSE,
    [CMD_ON_BUFFER_FULL] = ACTIVITY_ON_BUFFER_FULL,
    [CMD_ON_BUFFER_DRAIN] = ACTIVITY_ON_BUFFER_DRAIN,
};

void event_run(struct worker *w, struct event *e)
{
    fibers_show(&w->mesh.fibers, (struct activity_note){.kind = activities[e->packet.cmd],
                                                        .ip = e->packet.local_ip,
                                                        .port = e->packet.local_port,
                                                        .id = e->packet.connection_id});
    introduce(e);
    open_session(w, e);
    callbacks[e->packet.cmd](w, e);
    close_session(w, e);
}

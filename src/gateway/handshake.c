/* A handshake's way: token, subprotocol, a worker's word. */
#include "gateway/handshake.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "chan/chan.h"
#include "gateway/gateway_conf.h"
#include "gateway/state.h"
#include "proto/php_request.h"
#include "proto/phpser.h"

static const char SUBPROTOCOL[] = "Sec-WebSocket-Protocol";

/* ---- the token ---- */

/* The session becomes {"claims": …}, which the worker reads like any other value. */
static int put_claims(struct client *c, const struct gw_json *claims)
{
    size_t len = 0;
    char *text = gw_json_dump(claims, GW_JSON_PLAIN, &len);
    struct php_doc *doc = php_doc_new();
    struct php_value *values = php_read_json(doc, span_of(text, len));
    struct buf session = {0};
    int rc = -EINVAL;
    if (values) {
        struct php_value *all = php_new_array(doc);
        php_set(doc, all, php_key_of(span_str("claims")), values);
        php_write(all, &session);
        rc = client_set_session(c, buf_span(&session));
    }
    buf_fini(&session);
    php_doc_free(doc);
    gw_free(text);
    return rc;
}

/* Binds the client to the uid that the token names; false: it names none that can be one. */
static bool bind_uid(struct gateway *g, struct client *c, const struct gw_json *claims)
{
    char digits[24];
    const char *name = g->conf->auth.uid_claim;
    if (!name)
        return true;
    const struct gw_json *v = gw_json_get(claims, name);
    struct gw_bytes uid = gw_json_as_strn(v);
    if (gw_json_type(v) == GW_JSON_INT) {
        int n = snprintf(digits, sizeof(digits), "%lld", (long long)gw_json_as_int(v, 0));
        uid = gw_bytes(digits, (size_t)n);
    }
    if (uid.len < 1 || uid.len > NAME_MAX_BYTES)
        return false;
    groups_leave_all(&g->uids, c);
    groups_join(&g->uids, c, span_of(uid.data, uid.len));
    return true;
}

static void log_refusal(const char *from, int status, const char *why)
{
    static struct log_rate rate;
    log_limited(&rate, LOG_INFO, "%s refused with %d: %s", from, status, why);
}

static bool has_good_token(struct gateway *g, struct client *c, const struct http_request *r,
                           const char *from)
{
    int status = 0;
    const char *why = NULL;
    if (g->conf->auth.kind != AUTH_HMAC && g->conf->auth.kind != AUTH_JWT)
        return true;
    struct gw_json *claims = auth_claims(&g->auth, r, clock_wall_s(), &why);
    if (!claims) {
        status = 401;
    } else if (!bind_uid(g, c, claims)) {
        status = 403;
        why = "The token does not say who you are.";
    } else if (put_claims(c, claims) < 0) {
        status = 503;
        why = "The claims cannot be kept.";
    }
    gw_json_free(claims);
    if (status == 0)
        return true;
    log_refusal(from, status, why);
    chan_refuse(c->chan, status, why);
    return false;
}

/* ---- the worker's word ---- */

/* A client is bound by its ON_CONNECT, unless no worker was there. */
static bool is_asking(const struct gateway *g, const struct client *c)
{
    return g->conf->auth.kind == AUTH_WORKER || (c->worker && c->worker->has_judge);
}

/* To put the request into words is most of a handshake's work. An event that would wait here first
 * may still go to another worker. */
static bool has_no_listener(const struct client *c)
{
    const struct worker *w = c->worker;
    return w && w->skips_requests && w->phase == WORKER_SERVING && w->waiting.events_n == 0;
}

void handshake_begin(struct gateway *g, struct client *c, const struct http_request *r,
                     const char *from)
{
    if (!has_good_token(g, c, r, from))
        return;
    struct span subprotocol = ws_conf_choose(&g->conf->ws, r);
    if (subprotocol.len > 0)
        chan_add_header(c->chan, SUBPROTOCOL, subprotocol);
    bool is_asked = is_asking(g, c);
    if (!is_asked && has_no_listener(c))
        return;
    uint16_t port = conn_peer(chan_conn(c->chan))->port;
    buf_clear(&g->text);
    php_put_request(&g->text, r, from, port, front_of(c)->port, subprotocol);
    uint8_t cmd = CMD_ON_WEBSOCKET_CONNECT;
    if (is_asked) {
        chan_hold(c->chan);
        cmd = CMD_ON_HANDSHAKE;
    }
    route_event(g, c, cmd, 0, buf_span(&g->text));
}

bool handshake_pass(struct gateway *g, uint32_t connection_id)
{
    struct client *c = clients_find(&g->clients, connection_id);
    if (!c || !chan_is_held(c->chan))
        return false;
    if (g->conf->auth.kind != AUTH_WORKER) {
        chan_release(c->chan);
        return true;
    }
    static struct log_rate rate;
    log_limited(&rate, LOG_ERROR, "auth = worker, but the module of worker %s has no on_handshake",
                c->worker ? c->worker->key : "(none)");
    chan_refuse(c->chan, 503, "Nobody is here who could judge this handshake.");
    return false;
}

/* Those that the handshake itself consists of stay ours. */
static bool is_reserved(const struct gateway *g, struct span name)
{
    static const char *const reserved[] = {
        "Upgrade",        "Connection",        "Sec-WebSocket-Accept", "Sec-WebSocket-Extensions",
        "Content-Length", "Transfer-Encoding", "Sec-WebSocket-Version"};
    for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
        if (span_eq_nocase(name, reserved[i]))
            return true;
    return span_eq_nocase(name, SUBPROTOCOL) && g->conf->ws.subprotocols.len > 0;
}

static void add_headers(const struct gateway *g, struct client *c, struct span lines)
{
    while (lines.len > 0) {
        struct http_header h;
        char name[64];
        struct span line = span_trim(span_cut(&lines, '\n'));
        if (!http_parse_field(line, &h) || h.name.len >= sizeof(name) || is_reserved(g, h.name))
            continue;
        memcpy(name, h.name.at, h.name.len);
        name[h.name.len] = '\0';
        chan_add_header(c->chan, name, h.value);
    }
}

void handshake_judged(struct gateway *g, struct client *c, struct span verdict)
{
    enum { TEXT_MAX = 512 };
    char text[TEXT_MAX];
    if (!chan_is_held(c->chan) || verdict.len < sizeof(uint16_t))
        return;
    int status = get_u16be(verdict.at);
    struct span rest = span_skip(verdict, sizeof(uint16_t));
    if (status == 0) {
        add_headers(g, c, rest);
        chan_release(c->chan);
        return;
    }
    size_t len = rest.len < TEXT_MAX ? rest.len : TEXT_MAX - 1;
    if (len > 0)
        memcpy(text, rest.at, len);
    text[len] = '\0';
    chan_refuse(c->chan, status >= 400 && status <= 599 ? status : 403, text);
}

/* Commands about the link itself: who the peer is, and the hand-over of clients. */
#include <gw/err.h>

#include "base/bytes.h"
#include "base/crypto.h"
#include "gateway/cmd.h"
#include "gateway/gateway_conf.h"
#include "gateway/handover.h"
#include "gateway/handshake.h"
#include "gateway/state.h"
#include "proto/phpser.h"

enum { WORKER_KEY_MAX_BYTES = 255 };

/* The JSON greeting of a peer, when it holds the right key: `"secret_key"` must be there and a
 * string (gateway-edge-cases.json worker_connect_no_secret). NULL: it does not. */
static const struct php_value *read_greeting(const struct gateway *g, struct php_doc *doc,
                                             const struct wire_packet *p)
{
    const struct php_value *json = NULL;
    if (p->flag & WIRE_SCALAR)
        json = php_read_json(doc, p->body);
    if (!json || php_type(json) != PHP_ARRAY)
        return NULL;
    const struct php_value *key = php_get(json, "secret_key");
    if (!key || php_type(key) != PHP_STRING)
        return NULL;
    return crypto_is_equal(php_string(key), span_str(g->conf->secret_key)) ? json : NULL;
}

static bool is_set(const struct php_value *greeting, const char *key)
{
    const struct php_value *v = php_get(greeting, key);
    return v && php_type(v) == PHP_INT && php_int(v) >= 1;
}

static bool offers_ours(const struct php_value *greeting)
{
    return is_set(greeting, "gatehouse");
}

/* A peer that takes packets may ask, too, to be told which names have members here. */
static void accept_ours(struct gateway *g, struct peer *from, const struct php_value *greeting,
                        bool takes_packets)
{
    bool wants_interest = takes_packets && is_set(greeting, "interest");
    peer_accept_ours(from, wants_interest); /* CMD_HELLO comes before all else */
    if (wants_interest)
        herald_admit(g, from);
}

/* "ip:worker_key", as the original names a worker. */
static void put_key(struct buf *out, const struct peer *from, const struct php_value *greeting)
{
    char ip[ADDR_TEXT_MAX];
    addr_ip_text(conn_peer(from->conn), ip);
    buf_puts(out, ip);
    buf_putc(out, ':');
    const struct php_value *key = php_get(greeting, "worker_key");
    if (!key || php_type(key) != PHP_STRING)
        return;
    struct span text = php_string(key);
    if (text.len > WORKER_KEY_MAX_BYTES)
        text.len = WORKER_KEY_MAX_BYTES;
    buf_put_span(out, text);
}

int cmd_worker_connect(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    int rc = 0;
    struct php_doc *doc = php_doc_new();
    const struct php_value *greeting = read_greeting(g, doc, p);
    if (!greeting) {
        rc = GW_EAUTH;
    } else if (from->worker) {
        cmd_ignored(from, p, "the link has a worker already");
    } else {
        peer_authorize(from);
        if (offers_ours(greeting))
            accept_ours(g, from, greeting, true);
        from->has_judge = from->speaks_ours && is_set(greeting, "judge");
        from->skips_requests = from->speaks_ours && is_set(greeting, "no_requests");
        from->hears_buffers = from->speaks_ours && is_set(greeting, "buffers");
        struct buf key = {0};
        put_key(&key, from, greeting);
        buf_cstr(&key);
        route_attach(g, from, span_of(key.at, strlen((const char *)key.at)));
        buf_fini(&key);
    }
    php_doc_free(doc);
    return rc;
}

int cmd_client_connect(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    int rc = 0;
    struct php_doc *doc = php_doc_new();
    const struct php_value *greeting = read_greeting(g, doc, p);
    if (!greeting) {
        rc = GW_EAUTH;
    } else {
        peer_authorize(from);
        if (offers_ours(greeting)) {
            from->takes_packets = is_set(greeting, "packets");
            accept_ours(g, from, greeting, from->takes_packets);
        }
    }
    php_doc_free(doc);
    return rc;
}

int cmd_drain(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    handover_drain(g, from->worker);
    return 0;
}

int cmd_drained(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    handover_drained(g, from->worker, p->body);
    return 0;
}

int cmd_release(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    handover_release(g, from->worker, p->connection_id);
    return 0;
}

int cmd_judge(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    struct client *c = clients_find(&g->clients, p->connection_id);
    if (c)
        handshake_judged(g, c, p->body);
    return 0;
}

int cmd_finished(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    struct client *c = clients_find(&g->clients, p->connection_id);
    if (c)
        chan_finish(c->chan);
    return 0;
}

int cmd_done(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    if (p->body.len < 4)
        return GW_EPROTO;
    from->worker->done_n += get_u32be(p->body.at);
    return 0;
}

int cmd_ping(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    from->is_pinging = true;
    herald_ping(g, from, p->connection_id);
    return 0;
}

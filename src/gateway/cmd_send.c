/* Commands that send messages to clients or close them. */

#include "base/bytes.h"
#include "gateway/cmd.h"
#include "gateway/fanout.h"
#include "gateway/gateway_conf.h"
#include "gateway/state.h"
#include "proto/codec.h"
#include "proto/phpser.h"

/* ---- what is sent ---- */

static unsigned flags_of(const struct peer *from, const struct wire_packet *p)
{
    unsigned flags = p->flag & WIRE_RAW ? FANOUT_RAW : 0;
    if (from->speaks_ours && p->flag & WIRE_BINARY)
        flags |= FANOUT_BINARY;
    return flags;
}

/* A serialized body as it is sent: strings as they are, arrays and null as JSON. What is left kills
 * the original (gateway-edge-cases.json send_one_ser_0 and on, send_one_json_bad_utf8). */
static bool read_value(struct gateway *g, const struct wire_packet *p, struct span *message)
{
    int err = 0;
    struct php_doc *doc = php_doc_new();
    const struct php_value *v = php_read(doc, p->body, &err);
    bool is_good = false;
    buf_clear(&g->text);
    if (v && php_type(v) == PHP_STRING) {
        buf_put_span(&g->text, php_string(v));
        is_good = true;
    } else if (v && !(p->flag & WIRE_RAW) &&
               (php_type(v) == PHP_ARRAY || php_type(v) == PHP_NULL)) {
        is_good = php_write_json(v, true, &g->text);
    }
    php_doc_free(doc);
    *message = buf_span(&g->text);
    return is_good;
}

static bool read_message(struct gateway *g, struct peer *from, const struct wire_packet *p,
                         struct span *message)
{
    *message = p->body;
    if (p->flag & WIRE_SCALAR || read_value(g, p, message))
        return true;
    cmd_ignored(from, p, "its body is no message: neither text, array nor null");
    return false;
}

static bool begin(struct fanout *f, struct gateway *g, struct peer *from,
                  const struct wire_packet *p)
{
    struct span message;
    from->reached_n = 0;
    if (!read_message(g, from, p, &message))
        return false;
    fanout_begin(f, g, message, flags_of(from, p));
    return true;
}

/* Messages to the same clients that came right behind this one: all are encoded, then the clients
 * are walked over once. Nothing else happens in between, so each client gets what it would get. */
static bool begin_run(struct fanout *f, struct gateway *g, struct peer *from,
                      const struct wire_packet *p)
{
    struct wire_packet next;
    ssize_t n;
    if (!begin(f, g, from, p))
        return false;
    while (p->flag & WIRE_SCALAR &&
           (n = wire_decode(from->ahead, gateway_conf_packet_max(g->conf), &next)) > 0 &&
           next.cmd == p->cmd && next.flag == p->flag && span_eq(next.ext, p->ext) &&
           fanout_add(f, next.body)) {
        from->ahead = span_skip(from->ahead, (size_t)n);
        g->counts.sends_n++;
    }
    return true;
}

static int end(struct fanout *f, struct peer *from)
{
    from->reached_n = f->reached_n;
    fanout_end(f);
    return 0;
}

/* ---- who gets it ---- */

/* Sends to all members but those in the receivers' ids, in the order of the roster. */
static void send_to(struct fanout *f, const struct roster *members)
{
    uint32_t pos = 0;
    for (struct client *c = roster_next(members, &pos); c; c = roster_next(members, &pos))
        if (!c->is_marked)
            fanout_to(f, c);
}

static void mark_ids(struct gateway *g, bool is_marked)
{
    for (size_t i = 0; i < g->receivers.ids_n; i++) {
        struct client *c = clients_find(&g->clients, g->receivers.ids[i]);
        if (c)
            c->is_marked = is_marked;
    }
}

static void send_to_names(struct fanout *f, const struct groups *gs)
{
    struct gateway *g = f->gateway;
    mark_ids(g, true);
    for (size_t i = 0; i < g->receivers.names_n; i++) {
        const struct group *group = groups_find(gs, g->receivers.names[i]);
        if (group)
            send_to(f, &group->members);
    }
    mark_ids(g, false);
}

int cmd_send_to_one(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    g->counts.sends_n++;
    struct client *c = clients_find(&g->clients, p->connection_id);
    struct span message;
    from->reached_n = 0;
    if (c && read_message(g, from, p, &message))
        from->reached_n = fanout_one(g, c, message, flags_of(from, p));
    return 0;
}

int cmd_send_to_all(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    g->counts.sends_n++;
    struct fanout f;
    if (!begin_run(&f, g, from, p))
        return 0;
    receivers_read_all(&g->receivers, p->ext);
    if (g->receivers.has_connections) {
        for (size_t i = 0; i < g->receivers.ids_n; i++) {
            struct client *c = clients_find(&g->clients, g->receivers.ids[i]);
            if (c)
                fanout_to(&f, c);
        }
    } else {
        mark_ids(g, true);
        send_to(&f, &g->clients.all);
        mark_ids(g, false);
    }
    return end(&f, from);
}

int cmd_send_to_uid(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    g->counts.sends_n++;
    struct fanout f;
    if (!begin_run(&f, g, from, p))
        return 0;
    receivers_read_uids(&g->receivers, p->ext);
    send_to_names(&f, &g->uids);
    return end(&f, from);
}

int cmd_send_to_group(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    g->counts.sends_n++;
    struct fanout f;
    if (!begin_run(&f, g, from, p))
        return 0;
    receivers_read_groups(&g->receivers, p->ext);
    send_to_names(&f, &g->groups);
    return end(&f, from);
}

/* A query right behind a send tells what that send did. */
int cmd_receipt(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    buf_clear(&g->text);
    php_put_int(&g->text, from->reached_n);
    peer_reply(from, buf_span(&g->text));
    return 0;
}

/* ---- closing ---- */

static bool is_null(const struct wire_packet *p)
{
    return !(p->flag & WIRE_SCALAR) && span_is(p->body, "N;");
}

/* ext_data of ours is a close frame's content. The original looks at none, so that it ends the same
 * connection without a goodbye (docs/wire.md §3). */
static void close_as_told(struct client *c, struct span ext)
{
    uint16_t code = 0;
    if (ext.len >= sizeof(code))
        code = get_u16be(ext.at);
    chan_close(c->chan, code, span_skip(ext, sizeof(code)));
}

/* The message, unless it is null, and the end of TCP behind it: no close frame (vectors/README.md).
 * For workers the client is gone at once. */
int cmd_kick(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    struct client *c = clients_find(&g->clients, p->connection_id);
    if (!c)
        return 0;
    struct wire_packet framed = *p;
    framed.flag &= (uint8_t)~WIRE_RAW; /* the original frames a farewell in any case */
    struct fanout f;
    if (!is_null(p)) {
        if (!begin(&f, g, from, &framed))
            return 0;
        /* Before the handshake is done a farewell is lost, as in the original. */
        if (chan_is_open(c->chan))
            fanout_to(&f, c);
        fanout_end(&f);
    }
    close_as_told(c, p->ext);
    front_part(g, c);
    return 0;
}

int cmd_destroy(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    struct client *c = clients_find(&g->clients, p->connection_id);
    if (!c)
        return 0;
    chan_destroy(c->chan, 0);
    front_part(g, c);
    return 0;
}

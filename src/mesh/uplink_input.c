/* What a gateway sends: events go up, answers to whoever asked, the rest is about the link itself.
 */
#include "mesh/uplink_internal.h"

#include <gw/err.h>

#include "base/log.h"
#include "base/notices.h"
#include "proto/phpser.h"

/* What a CMD_HELLO says beyond "gatehouse":1. */
static void read_hello(struct uplink *u, struct span json)
{
    struct php_doc *doc = php_doc_new();
    const struct php_value *hello = php_read_json(doc, json);
    bool is_array = hello && php_type(hello) == PHP_ARRAY;
    const struct php_value *interest = is_array ? php_get(hello, "interest") : NULL;
    const struct php_value *page = is_array ? php_get(hello, "notices") : NULL;

    u->tells_interest = interest && php_type(interest) == PHP_INT && php_int(interest) == 1;
    if (page && php_type(page) == PHP_STRING)
        u->page = notices_find(u->kind->notices, php_string(page));
    php_doc_free(doc);
}

static void on_hello(struct uplink *u, const struct wire_packet *p)
{
    u->is_ours = true;
    read_hello(u, p->body);
    if (u->tells_interest)
        uplink_watch_pulse(u);
    if (holdings_miss(&u->holdings)) /* what was sent before was not noted */
        uplink_will_tell(u);
}

static void on_interest(struct uplink *u, const struct wire_packet *p)
{
    u->heard = p->connection_id;
    if (holdings_hear(&u->holdings, p->body) < 0)
        chan_destroy(u->chan, GW_EPROTO);
}

/* Answers all pings up to its own. */
static void on_pong(struct uplink *u, const struct wire_packet *p)
{
    bool is_behind_mark = (int32_t)(p->connection_id - u->mark) >= 0;

    u->pong = p->connection_id;
    if (u->holdings.is_marked && is_behind_mark && holdings_marked(&u->holdings))
        uplink_will_tell(u);
}

static void on_reply(struct uplink *u, const struct wire_packet *p)
{
    if (list_is_empty(&u->line))
        chan_destroy(u->chan, GW_EPROTO);
    else if (p->flag & WIRE_MORE)
        query_part(&u->line, p->body);
    else if (p->flag & WIRE_SCALAR && p->body.len == 0)
        query_fail(&u->line, GW_ETOOBIG);
    else
        query_answer(&u->line, p->body);
}

static void on_ping(struct uplink *u, const struct wire_packet *p)
{
    /* Only keeps the connection from idling. */
}

static void pass_up(struct uplink *u, const struct wire_packet *p)
{
    u->kind->events->on_packet(u, u->kind->owner, p);
}

static void (*const handlers[256])(struct uplink *u, const struct wire_packet *p) = {
    [CMD_ON_CONNECT] = pass_up,     [CMD_ON_MESSAGE] = pass_up,
    [CMD_ON_CLOSE] = pass_up,       [CMD_ON_WEBSOCKET_CONNECT] = pass_up,
    [CMD_PING] = on_ping,           [CMD_HELLO] = on_hello,
    [CMD_DRAIN_MARK] = pass_up,     [CMD_REPLY] = on_reply,
    [CMD_ON_HANDSHAKE] = pass_up,   [CMD_ON_BROKEN] = pass_up,
    [CMD_ON_BUFFER_FULL] = pass_up, [CMD_ON_BUFFER_DRAIN] = pass_up,
    [CMD_INTEREST] = on_interest,   [CMD_PONG] = on_pong,
};

void uplink_input(struct chan *ch, void *owner, const struct codec_event *ev)
{
    static struct log_rate rate;
    struct uplink *u = owner;
    struct wire_packet p;

    if (wire_decode(ev->payload, ev->payload.len, &p) <= 0)
        return; /* the codec hands out whole packets only */
    uplink_hear(u);
    if (handlers[p.cmd])
        handlers[p.cmd](u, &p);
    else
        log_limited(&rate, LOG_WARN, "gateway %s sent %s (%u), which is not for workers: ignored",
                    u->address, wire_cmd_name(p.cmd), p.cmd);
}

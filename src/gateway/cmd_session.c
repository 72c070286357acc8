/* Commands that read and write the session of one client. */
#include "gateway/cmd.h"
#include "gateway/gateway_conf.h"
#include "gateway/state.h"
#include "proto/phpser.h"

/* PHP holds "" and "0" for empty: gateway-edge-cases.json set_session_zero. */
static bool is_empty(struct span session)
{
    return session.len == 0 || span_is(session, "0");
}

static void store(struct gateway *g, struct client *c, const struct peer *from,
                  const struct wire_packet *p, struct span session)
{
    if (session.len > g->conf->max_session_bytes)
        cmd_ignored(from, p, "the session is larger than max_session_bytes");
    else if (client_set_session(c, session) < 0)
        cmd_ignored(from, p, "no memory for the session");
}

/* Unchecked, as in the original: what is in it is between the workers. */
int cmd_set_session(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    struct client *c = clients_find(&g->clients, p->connection_id);
    if (c)
        store(g, c, from, p, p->ext);
    return 0;
}

/* vectors/session-merge.json. false: one of them is not a serialized array. */
static bool merge(struct span base, struct span update, struct buf *out)
{
    int err = 0;
    struct php_doc *doc = php_doc_new();
    const struct php_value *old = php_read(doc, base, &err);
    const struct php_value *fresh = old ? php_read(doc, update, &err) : NULL;
    bool is_good = fresh && php_type(old) == PHP_ARRAY && php_type(fresh) == PHP_ARRAY;
    buf_clear(out);
    if (is_good)
        php_write(php_merge(doc, old, fresh), out);
    php_doc_free(doc);
    return is_good;
}

int cmd_update_session(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    struct client *c = clients_find(&g->clients, p->connection_id);
    if (!c)
        return 0;
    if (is_empty(client_session(c)))
        store(g, c, from, p, p->ext);
    else if (merge(client_session(c), p->ext, &g->text))
        store(g, c, from, p, buf_span(&g->text));
    else
        cmd_ignored(from, p, "session or update is not a serialized array without objects");
    return 0;
}

int cmd_get_session(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    const struct client *c = clients_find(&g->clients, p->connection_id);
    struct span reply = span_str("N;");
    if (c)
        reply = is_empty(client_session(c)) ? span_str("a:0:{}") : client_session(c);
    peer_reply(from, reply);
    return 0;
}

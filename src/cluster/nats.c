/* libnats keeps threads: for the connection one that reads and one that writes; for good one for
 * all our subscriptions (so that messages stay in order), one for what happens to the connection,
 * and a timer. */
#include "cluster/nats.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <gw/err.h>

#ifdef HAS_NATS

#include <nats/nats.h>

#include "base/map.h"
#include "base/mem.h"
#include "cluster/cond.h"

enum {
    CONNECT_TIMEOUT_MS = 1000,
    RECONNECT_WAIT_MS = 250,
    RECONNECT_JITTER_MS = 250,
    PING_MS = 2000, /* with two of them unanswered a server counts as lost */
    PINGS_OUT_MAX = 2,
    URL_MAX = 512,
    DRAIN_MAX_MS = 500,
    CLOSE_MAX_MS = 2000,
};

struct nats {
    natsOptions *options;
    natsConnection *connection;
    struct map *subscriptions; /* natsSubscription by subject */
    const struct nats_events *events;
    void *owner;
    pthread_mutex_t lock;
    pthread_cond_t closed;
    bool is_closed; /* the last callback has come; under lock */
};

bool nats_is_built(void)
{
    return true;
}

/* ---- what libnats's threads tell ---- */

/* nats://user:password@host:4222 is shown without what is in front of the @. */
static void server_of(natsConnection *nc, char out[URL_MAX])
{
    char url[URL_MAX] = "";

    if (natsConnection_GetConnectedUrl(nc, url, sizeof url) != NATS_OK || url[0] == '\0')
        snprintf(url, sizeof url, "a server");
    const char *at = strrchr(url, '@');
    const char *scheme_end = strstr(url, "://");
    if (at && scheme_end && at > scheme_end)
        snprintf(out, URL_MAX, "%.*s%s", (int)(scheme_end + 3 - url), url, at + 1);
    else
        snprintf(out, URL_MAX, "%s", url);
}

static void on_connected(natsConnection *nc, void *closure)
{
    struct nats *n = closure;
    char server[URL_MAX];
    int64_t max_payload = natsConnection_GetMaxPayload(nc);

    server_of(nc, server);
    n->events->on_up(n->owner, server, max_payload > 0 ? (uint64_t)max_payload : 0);
}

/* The text stays libnats's. */
static const char *last_error(natsConnection *nc)
{
    const char *text = NULL;

    natsConnection_GetLastError(nc, &text);
    return text && text[0] ? text : "the connection was closed";
}

static void on_disconnected(natsConnection *nc, void *closure)
{
    struct nats *n = closure;

    n->events->on_down(n->owner, last_error(nc));
}

static void on_closed(natsConnection *nc, void *closure)
{
    struct nats *n = closure;

    n->events->on_ended(n->owner, last_error(nc));
    pthread_mutex_lock(&n->lock);
    n->is_closed = true;
    pthread_cond_signal(&n->closed);
    pthread_mutex_unlock(&n->lock);
}

static void on_error(natsConnection *nc, natsSubscription *sub, natsStatus status, void *closure)
{
    struct nats *n = closure;

    n->events->on_trouble(n->owner, status == NATS_SLOW_CONSUMER
                                        ? "messages came faster than they could be taken: some "
                                          "are lost"
                                        : last_error(nc));
}

static void on_msg(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    struct nats *n = closure;
    const char *reply = natsMsg_GetReply(msg);
    int len = natsMsg_GetDataLength(msg);

    n->events->on_message(n->owner, reply ? reply : "",
                          span_of(natsMsg_GetData(msg), len > 0 ? (size_t)len : 0));
    natsMsg_Destroy(msg);
}

/* ---- connecting ---- */

static natsStatus set_servers(natsOptions *o, const struct conf_list *urls)
{
    const char **list = mem_zalloc((urls->len + 1) * sizeof *list);

    for (size_t i = 0; i < urls->len; i++)
        list[i] = urls->at[i].text;
    natsStatus s = natsOptions_SetServers(o, list, (int)urls->len);
    mem_free(list);
    return s;
}

static natsStatus set_login(natsOptions *o, const struct nats_conf *c)
{
    natsStatus s = NATS_OK;

    if (c->user)
        s = natsOptions_SetUserInfo(o, c->user, c->password ? c->password : "");
    if (s == NATS_OK && c->token)
        s = natsOptions_SetToken(o, c->token);
    if (s == NATS_OK && c->credentials_file)
        s = natsOptions_SetUserCredentialsFromFiles(o, c->credentials_file, NULL);
    if (s == NATS_OK && c->nkey)
        s = natsOptions_SetNKeyFromSeed(o, c->nkey, c->nkey_seed_file);
    return s;
}

static natsStatus set_tls(natsOptions *o, const struct nats_conf *c)
{
    if (!c->is_tls)
        return NATS_OK;
    natsStatus s = natsOptions_SetSecure(o, true);
    if (s == NATS_OK && c->tls_ca)
        s = natsOptions_LoadCATrustedCertificates(o, c->tls_ca);
    if (s == NATS_OK && c->tls_cert)
        s = natsOptions_LoadCertificatesChain(o, c->tls_cert, c->tls_key);
    return s;
}

/* Without an error handler libnats prints to stderr. That nobody has subscribed is nothing to tell:
 * a group may have no member anywhere. */
static natsStatus set_behaviour(natsOptions *o, const struct nats_conf *c, struct nats *n)
{
    int buffer_bytes = c->buffer_bytes < INT32_MAX ? (int)c->buffer_bytes : INT32_MAX;
    natsStatus s = natsOptions_SetName(o, c->label);

    if (s == NATS_OK)
        s = natsOptions_SetTimeout(o, CONNECT_TIMEOUT_MS);
    if (s == NATS_OK)
        s = natsOptions_SetRetryOnFailedConnect(o, true, on_connected, n);
    if (s == NATS_OK)
        s = natsOptions_SetMaxReconnect(o, -1);
    if (s == NATS_OK)
        s = natsOptions_SetReconnectWait(o, RECONNECT_WAIT_MS);
    if (s == NATS_OK)
        s = natsOptions_SetReconnectJitter(o, RECONNECT_JITTER_MS, RECONNECT_JITTER_MS);
    if (s == NATS_OK)
        s = natsOptions_SetReconnectBufSize(o, buffer_bytes);
    if (s == NATS_OK)
        s = natsOptions_SetPingInterval(o, PING_MS);
    if (s == NATS_OK)
        s = natsOptions_SetMaxPingsOut(o, PINGS_OUT_MAX);
    if (s == NATS_OK)
        s = natsOptions_DisableNoResponders(o, true);
    if (s == NATS_OK)
        s = natsOptions_UseGlobalMessageDelivery(o, true);
    return s;
}

static natsStatus set_callbacks(natsOptions *o, struct nats *n)
{
    natsStatus s = natsOptions_SetDisconnectedCB(o, on_disconnected, n);

    if (s == NATS_OK)
        s = natsOptions_SetReconnectedCB(o, on_connected, n);
    if (s == NATS_OK)
        s = natsOptions_SetClosedCB(o, on_closed, n);
    if (s == NATS_OK)
        s = natsOptions_SetErrorHandler(o, on_error, n);
    return s;
}

static natsStatus set_all(natsOptions *o, const struct nats_conf *c, struct nats *n)
{
    natsStatus s = set_servers(o, &c->urls);

    if (s == NATS_OK)
        s = set_login(o, c);
    if (s == NATS_OK)
        s = set_tls(o, c);
    if (s == NATS_OK)
        s = set_behaviour(o, c, n);
    if (s == NATS_OK)
        s = set_callbacks(o, n);
    return s;
}

static void explain(natsStatus s, char why[NATS_WHY_MAX])
{
    natsStatus last;
    const char *text = nats_GetLastError(&last);

    snprintf(why, NATS_WHY_MAX, "%s", text && text[0] ? text : natsStatus_GetText(s));
}

int nats_open(const struct nats_conf *conf, const struct nats_events *events, void *owner,
              struct nats **out, char why[NATS_WHY_MAX])
{
    struct nats *n = mem_zalloc(sizeof *n);

    n->events = events;
    n->owner = owner;
    n->subscriptions = map_new();
    pthread_mutex_init(&n->lock, NULL);
    cond_init(&n->closed);
    natsStatus s = nats_Open(-1);
    if (s == NATS_OK)
        s = nats_SetMessageDeliveryPoolSize(1);
    if (s == NATS_OK)
        s = natsOptions_Create(&n->options);
    if (s == NATS_OK)
        s = set_all(n->options, conf, n);
    if (s == NATS_OK)
        s = natsConnection_Connect(&n->connection, n->options);
    *out = n;
    if (s == NATS_OK)
        on_connected(n->connection, n);
    else if (s == NATS_NOT_YET_CONNECTED)
        events->on_trouble(owner, "no server can be reached yet: each is tried again and again, "
                                  "meanwhile this host works by itself");
    if (s == NATS_OK || s == NATS_NOT_YET_CONNECTED)
        return 0;
    explain(s, why);
    nats_close(n);
    *out = NULL;
    return s == NATS_CONNECTION_AUTH_FAILED ? GW_EAUTH : GW_EREFUSED;
}

static void free_subscriptions(struct nats *n)
{
    size_t pos = 0;
    struct span key;
    void *sub;

    while (map_next(n->subscriptions, &pos, &key, &sub))
        natsSubscription_Destroy(sub);
    map_free(n->subscriptions);
}

static bool wait_until_closed(struct nats *n)
{
    struct timespec until = cond_deadline(CLOSE_MAX_MS);

    pthread_mutex_lock(&n->lock);
    while (!n->is_closed && cond_wait_until(&n->closed, &n->lock, &until))
        ;
    bool is_closed = n->is_closed;
    pthread_mutex_unlock(&n->lock);
    return is_closed;
}

static void nats_free(struct nats *n)
{
    free_subscriptions(n);
    natsConnection_Destroy(n->connection);
    natsOptions_Destroy(n->options);
    pthread_cond_destroy(&n->closed);
    pthread_mutex_destroy(&n->lock);
    mem_free(n);
}

/* Draining hands out what has come already, and brings what was published on its way. libnats
 * itself is never closed: in 3.4 that frees tables of OpenSSL which the end of the process frees
 * again. */
void nats_close(struct nats *n)
{
    if (!n)
        return;
    if (n->connection && natsConnection_DrainTimeout(n->connection, DRAIN_MAX_MS) != NATS_OK)
        natsConnection_Close(n->connection);
    if (!n->connection || wait_until_closed(n))
        nats_free(n);
}

/* ---- messages ---- */

int nats_publish(struct nats *n, const char *subject, const char *reply, struct span data)
{
    natsStatus s =
        reply[0]
            ? natsConnection_PublishRequest(n->connection, subject, reply, data.at, (int)data.len)
            : natsConnection_Publish(n->connection, subject, data.at, (int)data.len);

    return s == NATS_OK ? 0 : GW_EFULL;
}

void nats_subscribe(struct nats *n, const char *subject)
{
    natsSubscription *sub = NULL;

    if (map_get(n->subscriptions, span_str(subject)))
        return;
    natsStatus s = natsConnection_Subscribe(&sub, n->connection, subject, on_msg, n);
    if (s == NATS_OK)
        map_set(n->subscriptions, span_str(subject), sub);
    else
        n->events->on_trouble(n->owner, natsStatus_GetText(s));
}

void nats_unsubscribe(struct nats *n, const char *subject)
{
    natsSubscription *sub = map_remove(n->subscriptions, span_str(subject));

    natsSubscription_Destroy(sub);
}

#else /* without libnats */

bool nats_is_built(void)
{
    return false;
}

int nats_open(const struct nats_conf *conf, const struct nats_events *events, void *owner,
              struct nats **out, char why[NATS_WHY_MAX])
{
    snprintf(why, NATS_WHY_MAX, "this gatehouse was built without libnats");
    *out = NULL;
    return -ENOSYS;
}

void nats_close(struct nats *n)
{
}

int nats_publish(struct nats *n, const char *subject, const char *reply, struct span data)
{
    return -ENOSYS;
}

void nats_subscribe(struct nats *n, const char *subject)
{
}

void nats_unsubscribe(struct nats *n, const char *subject)
{
}

#endif

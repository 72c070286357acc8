/* waiting → dialling (name, connect) → greeting (AUTH, SELECT, PING) → up → waiting …
 *
 * "Up" means that a PING was answered: the kernel accepts connections for a process that is stopped
 * or still loads its data. A call that is not answered in time takes the connection down with it,
 * so that one stuck server costs one deadline and not one per call. */
#include "store/redis.h"

#include <errno.h>
#include <stdio.h>

#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/resolve.h"
#include "store/redis_loop.h"
#include "store/reply.h"

enum {
    RETRY_MIN_MS = 100,
    RETRY_MAX_MS = 5000,
    CONNECT_MS = 2000, /* for name, connection and greeting together */
    PENDING_MAX = 10000,
    PENDING_BYTES_MAX = 16 * 1024 * 1024,
    ARGC_MAX = 256,
    CALL_BYTES_MAX = 1024 * 1024,
};

enum redis_state { REDIS_WAITING, REDIS_DIALLING, REDIS_GREETING, REDIS_UP, REDIS_STOPPED };

struct redis {
    struct store_host host;
    const struct store_url *url;
    enum redis_state state;
    struct redis_loop io;
    struct resolve *resolve;
    struct timer timer; /* waiting: until the next attempt; dialling and greeting: its end */
    uint64_t delay_ms;
    bool has_tried; /* a first attempt came to an end */
    bool is_told;   /* the log says that it is away */
    char refusal[128];
    struct list early; /* struct early: calls that came during the first attempt */
    size_t pending_n;
    uint64_t pending_bytes;
    struct log_rate went, came;
};

/* A command under way. Answers come in the order of the commands, so it stays when its caller gave
 * up. */
struct pending {
    struct redis *redis;
    struct together *together; /* NULL: nobody waits */
    struct gw_reply **reply;   /* the caller's */
    struct list node;          /* of together */
    uint64_t bytes;
};

/* Who waits for some commands, on the stack of its coroutine. */
struct together {
    struct store_call call;
    struct list unanswered; /* struct pending */
    int rc;
};

struct early {
    struct list node;
    struct store_call call;
};

static void end_early(struct redis *r, int rc)
{
    while (!list_is_empty(&r->early)) {
        struct early *e = CONTAINER_OF(r->early.next, struct early, node);
        list_remove(&e->node);
        call_end(&e->call, rc);
    }
}

/* ---- going and coming ---- */

/* The attempt or the connection has ended. */
static void go_away(struct redis *r, const char *why)
{
    r->state = REDIS_WAITING;
    r->has_tried = true;
    if (!r->is_told)
        log_limited(&r->went, LOG_WARN, "store %s is away: %s; it is tried again", r->url->shown,
                    why);
    r->is_told = true;
    timer_start(r->host.loop, &r->timer, r->delay_ms);
    r->delay_ms = r->delay_ms * 2 < RETRY_MAX_MS ? r->delay_ms * 2 : RETRY_MAX_MS;
    end_early(r, GW_EAWAY);
}

static void come_up(struct redis *r)
{
    r->state = REDIS_UP;
    r->has_tried = true;
    timer_stop(r->host.loop, &r->timer);
    r->delay_ms = RETRY_MIN_MS;
    if (r->is_told)
        log_limited(&r->came, LOG_INFO, "store %s is back", r->url->shown);
    r->is_told = false;
    end_early(r, 0);
}

/* Ends the connection from our side; what waits for an answer gets none. */
static void hang_up(struct redis *r)
{
    resolve_cancel(r->resolve);
    r->resolve = NULL;
    if (r->io.context)
        redisAsyncFree(r->io.context);
}

static void drop(struct redis *r, const char *why)
{
    go_away(r, why); /* first: on_disconnect must find that we know */
    hang_up(r);
}

static void on_disconnect(const redisAsyncContext *context, int status)
{
    struct redis *r = context->data;

    if (r->state == REDIS_GREETING || r->state == REDIS_UP)
        go_away(r, status == REDIS_OK ? "the connection was closed" : context->errstr);
}

/* ---- greeting ---- */

static void on_greeting(redisAsyncContext *context, void *answer, void *data)
{
    struct redis *r = context->data;
    const redisReply *reply = answer;
    bool is_last = data != NULL;

    if (!reply || r->state != REDIS_GREETING)
        return; /* the connection ended: on_disconnect or drop() tells */
    if (reply->type == REDIS_REPLY_ERROR && r->refusal[0] == '\0')
        snprintf(r->refusal, sizeof r->refusal, "%s", reply->str);
    if (!is_last)
        return;
    if (r->refusal[0] == '\0')
        come_up(r);
    else
        drop(r, r->refusal);
}

static void greet(struct redis *r, redisAsyncContext *context)
{
    char db[16];
    const char *login[3] = {"AUTH", r->url->user, r->url->password};
    const char *without_user[2] = {"AUTH", r->url->password};
    const char *database[2] = {"SELECT", db};
    const char *ping[1] = {"PING"};
    int rc = REDIS_OK;

    r->refusal[0] = '\0';
    snprintf(db, sizeof db, "%u", r->url->db);
    if (r->url->user)
        rc = redisAsyncCommandArgv(context, on_greeting, NULL, 3, login, NULL);
    else if (r->url->password)
        rc = redisAsyncCommandArgv(context, on_greeting, NULL, 2, without_user, NULL);
    if (rc == REDIS_OK && r->url->db > 0)
        rc = redisAsyncCommandArgv(context, on_greeting, NULL, 2, database, NULL);
    if (rc == REDIS_OK)
        rc = redisAsyncCommandArgv(context, on_greeting, r, 1, ping, NULL);
    if (rc != REDIS_OK)
        drop(r, "no command could be sent");
}

static void on_connect(const redisAsyncContext *context, int status)
{
    struct redis *r = context->data;

    if (r->state != REDIS_DIALLING)
        return;
    if (status != REDIS_OK) {
        go_away(r, context->errstr); /* hiredis frees the context itself */
        return;
    }
    r->state = REDIS_GREETING;
    greet(r, r->io.context);
}

/* ---- dialling ---- */

static void attach(struct redis *r, redisAsyncContext *context)
{
    int rc = !context ? -ENOMEM : context->err ? -EIO : redis_loop_attach(&r->io, context);

    if (rc < 0) {
        go_away(r, context && context->err ? context->errstr : gw_strerror(rc));
        if (context)
            redisAsyncFree(context);
        return;
    }
    context->data = r;
    if (redisAsyncSetDisconnectCallback(context, on_disconnect) != REDIS_OK ||
        redisAsyncSetConnectCallback(context, on_connect) != REDIS_OK)
        log_fatal("a new context of hiredis has its callbacks already");
}

static void on_resolved(void *owner, int rc, const struct addr *addr)
{
    struct redis *r = owner;
    char ip[ADDR_TEXT_MAX];

    r->resolve = NULL;
    if (rc < 0) {
        go_away(r, gw_strerror(rc));
        return;
    }
    addr_ip_text(addr, ip);
    attach(r, redisAsyncConnect(ip, addr->port));
}

static void dial(struct redis *r)
{
    struct buf place = {0};

    r->state = REDIS_DIALLING;
    timer_start(r->host.loop, &r->timer, CONNECT_MS);
    if (r->url->path) {
        attach(r, redisAsyncConnectUnix(r->url->path));
        return;
    }
    bool is_ip6 = strchr(r->url->host, ':') != NULL;
    buf_printf(&place, is_ip6 ? "[%s]:%u" : "%s:%u", r->url->host, r->url->port);
    r->resolve = resolve_start(r->host.loop, buf_cstr(&place), on_resolved, r);
    buf_fini(&place);
    if (!r->resolve)
        go_away(r, gw_strerror(-errno));
}

static void on_timer(struct timer *t)
{
    struct redis *r = CONTAINER_OF(t, struct redis, timer);

    if (r->state == REDIS_WAITING)
        dial(r);
    else
        drop(r, "it did not answer");
}

struct redis *redis_open(struct store_host host, const struct store_url *url)
{
    struct redis *r = mem_zalloc(sizeof *r);

    r->host = host;
    r->url = url;
    r->io.loop = host.loop;
    r->timer.fire = on_timer;
    r->delay_ms = RETRY_MIN_MS;
    list_init(&r->early);
    dial(r);
    return r;
}

void redis_stop(struct redis *r)
{
    r->state = REDIS_STOPPED;
    timer_stop(r->host.loop, &r->timer);
    hang_up(r);
    end_early(r, GW_EAWAY);
}

void redis_free(struct redis *r)
{
    if (!r)
        return;
    redis_stop(r);
    mem_free(r);
}

/* ---- commands ---- */

static void forget(struct pending *p)
{
    p->redis->pending_n--;
    p->redis->pending_bytes -= p->bytes;
    mem_free(p);
}

static void on_answer(redisAsyncContext *context, void *answer, void *data)
{
    struct pending *p = data;
    struct together *t = p->together;

    if (t) {
        if (answer)
            *p->reply = reply_copy(answer);
        if (!*p->reply && t->rc == 0)
            t->rc = answer ? GW_ETOOBIG : GW_EAWAY;
        list_remove(&p->node);
        if (list_is_empty(&t->unanswered))
            call_end(&t->call, t->rc);
    }
    forget(p);
}

static int measure(size_t argc, const struct gw_bytes *argv, uint64_t *bytes)
{
    *bytes = 0;
    if (argc == 0 || argc > ARGC_MAX)
        return -EINVAL;
    for (size_t i = 0; i < argc; i++)
        *bytes += argv[i].len;
    return *bytes > CALL_BYTES_MAX ? GW_ETOOBIG : 0;
}

/* Hands the command to hiredis, which copies it. */
static int submit(struct redis *r, size_t argc, const struct gw_bytes *argv,
                  struct together *together, struct gw_reply **reply)
{
    const char *words[ARGC_MAX];
    size_t lens[ARGC_MAX];
    uint64_t bytes;
    int rc = measure(argc, argv, &bytes);

    if (rc < 0)
        return rc;
    if (r->state != REDIS_UP)
        return GW_EAWAY;
    if (r->pending_n >= PENDING_MAX || r->pending_bytes + bytes > PENDING_BYTES_MAX)
        return GW_EFULL;
    for (size_t i = 0; i < argc; i++) {
        words[i] = argv[i].len > 0 ? argv[i].data : "";
        lens[i] = argv[i].len;
    }
    struct pending *p = mem_zalloc(sizeof *p);
    *p = (struct pending){.redis = r, .together = together, .reply = reply, .bytes = bytes};
    r->pending_n++;
    r->pending_bytes += bytes;
    if (redisAsyncCommandArgv(r->io.context, on_answer, p, (int)argc, words, lens) != REDIS_OK) {
        forget(p); /* the connection is ending: nothing was queued */
        return GW_EAWAY;
    }
    if (together)
        list_append(&together->unanswered, &p->node);
    return 0;
}

/* 0 when it is up, perhaps after the first attempt. */
static int wait_until_up(struct redis *r, uint64_t ms)
{
    struct early e;

    if (r->state == REDIS_UP)
        return 0;
    if (r->has_tried || r->state == REDIS_STOPPED)
        return GW_EAWAY;
    call_init(&e.call, r->host);
    list_append(&r->early, &e.node);
    int rc = call_wait(&e.call, ms);
    list_remove(&e.node);
    return rc;
}

/* Late: the answers are dropped, with the connection. */
static void give_up(struct redis *r, struct together *t, uint64_t ms)
{
    char why[64];

    while (!list_is_empty(&t->unanswered)) {
        struct pending *p = CONTAINER_OF(t->unanswered.next, struct pending, node);
        list_remove(&p->node);
        p->together = NULL;
    }
    snprintf(why, sizeof why, "no answer within %llu ms", (unsigned long long)ms);
    if (r->state == REDIS_UP)
        drop(r, why);
}

int redis_call_all(struct redis *r, uint64_t ms, struct redis_command *commands, size_t n)
{
    struct together t = {.rc = 0};

    for (size_t i = 0; i < n; i++)
        commands[i].reply = NULL;
    if (!fibers_is_inside(r->host.fibers))
        return GW_ECONTEXT;
    int rc = n > REDIS_TOGETHER_MAX ? -EINVAL : wait_until_up(r, ms);
    call_init(&t.call, r->host);
    list_init(&t.unanswered);
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = submit(r, commands[i].argc, commands[i].argv, &t, &commands[i].reply);
    if (list_is_empty(&t.unanswered))
        return rc;
    int waited_rc = call_wait(&t.call, ms);
    if (!list_is_empty(&t.unanswered))
        give_up(r, &t, ms);
    else
        waited_rc = t.rc; /* all have come, if in the turn of the deadline */
    return rc < 0 ? rc : waited_rc;
}

int redis_call(struct redis *r, uint64_t ms, size_t argc, const struct gw_bytes *argv,
               struct gw_reply **out)
{
    struct redis_command command = {.argc = argc, .argv = argv};
    int rc = redis_call_all(r, ms, &command, 1);

    *out = command.reply;
    return rc;
}

int redis_tell(struct redis *r, size_t argc, const struct gw_bytes *argv)
{
    return submit(r, argc, argv, NULL, NULL);
}

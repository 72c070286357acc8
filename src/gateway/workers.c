/* The workers of one gateway process: who is connected, who gets the next client. */
#include "gateway/workers.h"

#include "base/crypto.h"
#include "base/idmap.h"
#include "base/mem.h"
#include "gateway/clients.h"
#include "gateway/inner.h"
#include "gateway/silence.h"

static void worker_free(struct worker *w)
{
    uint64_t id;
    void *backlog;
    size_t pos = 0;
    while (w->busy && idmap_next(w->busy, &pos, &id, &backlog)) {
        backlog_fini(backlog);
        mem_free(backlog);
    }
    if (w->busy)
        idmap_free(w->busy);
    backlog_fini(&w->waiting);
    feeders_fini(&w->feeders);
    mem_free(w->key);
    mem_free(w);
}

void workers_fini(struct workers *ws)
{
    while (ws->all.len > 0)
        worker_free(vec_pop(&ws->all));
    vec_fini(&ws->all);
}

struct worker *workers_find(const struct workers *ws, struct span key)
{
    for (size_t i = 0; i < ws->all.len; i++)
        if (span_is(key, workers_at(ws, i)->key))
            return workers_at(ws, i);
    return NULL;
}

struct worker *workers_add(struct workers *ws, struct span key)
{
    struct worker *w = mem_zalloc(sizeof(*w));
    w->key = mem_strndup(key.at, key.len);
    vec_push(&ws->all, w);
    return w;
}

void workers_retire(struct workers *ws, struct worker *w)
{
    ptrdiff_t pos = vec_find(&ws->all, w);
    if (pos >= 0)
        vec_remove(&ws->all, (size_t)pos);
    w->phase = WORKER_GONE;
    w->peer = NULL;
    if (w->holders_n == 0)
        worker_free(w);
}

size_t workers_len(const struct workers *ws)
{
    return ws->all.len;
}

struct worker *workers_at(const struct workers *ws, size_t pos)
{
    return ws->all.at[pos];
}

/* One that says nothing any more gets nobody as long as there is another. */
static bool is_candidate(const struct worker *w, bool or_silent)
{
    return w->phase == WORKER_SERVING && (or_silent || !(w->peer && silence_is_likely(w->peer)));
}

static struct worker *least(const struct workers *ws, bool or_silent)
{
    struct worker *best = NULL;
    for (size_t i = 0; i < ws->all.len; i++) {
        struct worker *w = workers_at(ws, i);
        if (is_candidate(w, or_silent) && (!best || w->record < best->record))
            best = w;
    }
    return best;
}

/* Any one of the serving, each as likely as the others. */
static struct worker *at_random(const struct workers *ws, bool or_silent)
{
    struct worker *pick = NULL;
    uint32_t serving_n = 0;
    for (size_t i = 0; i < ws->all.len; i++) {
        struct worker *w = workers_at(ws, i);
        if (!is_candidate(w, or_silent))
            continue;
        uint32_t dice;
        crypto_random(&dice, sizeof(dice));
        if (dice % ++serving_n == 0)
            pick = w;
    }
    return pick;
}

struct worker *workers_choose(const struct workers *ws, enum gateway_router router)
{
    struct worker *(*choose)(const struct workers *, bool) =
        router == ROUTER_RANDOM ? at_random : least;
    struct worker *w = choose(ws, false);
    return w ? w : choose(ws, true);
}

void worker_hold(struct worker *w)
{
    w->holders_n++;
}

void worker_let_go(struct worker *w)
{
    if (--w->holders_n == 0 && w->phase == WORKER_GONE)
        worker_free(w);
}

void worker_bind(struct worker *w, struct client *c)
{
    if (w) {
        worker_hold(w);
        w->record++;
    }
    if (c->worker)
        worker_let_go(c->worker);
    c->worker = w;
}

void worker_client_closed(struct client *c)
{
    if (!c->worker)
        return;
    if (c->worker->record > 0)
        c->worker->record--;
    worker_let_go(c->worker);
    c->worker = NULL;
}

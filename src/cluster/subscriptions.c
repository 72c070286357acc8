/* Which groups and uids a gateway is subscribed to: those that it holds, with few changes. */
#include "cluster/subscriptions.h"

#include <string.h>

#include "base/map.h"
#include "base/mem.h"

struct wish {
    struct list node; /* in fresh or idle, or alone */
    bool is_held;
    bool is_subscribed;
    uint64_t due_ms; /* of those in idle */
    size_t name_len;
    uint8_t key[]; /* the kind and the name */
};

static struct span key_of(const struct wish *w)
{
    return span_of(w->key, 1 + w->name_len);
}

static void change(struct subscriptions *s, const struct wish *w, bool is_wanted)
{
    char subject[SUBJECT_MAX];

    subject_name(s->prefix, (enum subject_kind)w->key[0], span_skip(key_of(w), 1), subject);
    s->on_change(s->owner, subject, is_wanted);
    if (is_wanted)
        s->subscribed_n++;
    else
        s->unsubscribed_n++;
}

static void drop(struct subscriptions *s, struct wish *w)
{
    list_remove(&w->node);
    map_remove(s->wishes, key_of(w));
    mem_free(w);
}

static void subscribe_fresh(struct task *t)
{
    struct subscriptions *s = CONTAINER_OF(t, struct subscriptions, flush);

    while (!s->is_paused && !list_is_empty(&s->fresh)) {
        struct wish *w = CONTAINER_OF(s->fresh.next, struct wish, node);
        list_remove(&w->node);
        w->is_subscribed = true;
        change(s, w, true);
    }
}

static void unsubscribe_idle(struct timer *t)
{
    struct subscriptions *s = CONTAINER_OF(t, struct subscriptions, linger);
    uint64_t now_ms = loop_now_ms(s->loop);

    while (!s->is_paused && !list_is_empty(&s->idle)) {
        struct wish *w = CONTAINER_OF(s->idle.next, struct wish, node);
        if (w->due_ms > now_ms) {
            timer_start(s->loop, t, w->due_ms - now_ms);
            return;
        }
        change(s, w, false);
        drop(s, w);
    }
}

void subscriptions_init(struct subscriptions *s, struct loop *loop, const char *prefix,
                        void (*on_change)(void *owner, const char *subject, bool is_wanted),
                        void *owner)
{
    *s = (struct subscriptions){.loop = loop,
                                .prefix = prefix,
                                .wishes = map_new_borrowing(),
                                .flush.run = subscribe_fresh,
                                .linger.fire = unsubscribe_idle,
                                .is_paused = true,
                                .on_change = on_change,
                                .owner = owner};
    list_init(&s->fresh);
    list_init(&s->idle);
}

void subscriptions_fini(struct subscriptions *s)
{
    size_t pos = 0;
    struct span key;
    void *wish;

    while (map_next(s->wishes, &pos, &key, &wish))
        drop(s, wish);
    map_free(s->wishes);
    task_cancel(s->loop, &s->flush);
    timer_stop(s->loop, &s->linger);
}

static struct wish *add(struct subscriptions *s, struct span key)
{
    struct wish *w = mem_zalloc(sizeof *w + key.len);

    list_init(&w->node);
    w->name_len = key.len - 1;
    memcpy(w->key, key.at, key.len);
    map_set(s->wishes, key_of(w), w);
    return w;
}

static void take(struct subscriptions *s, struct wish *w)
{
    w->is_held = true;
    list_remove(&w->node);
    if (w->is_subscribed)
        return;
    list_append(&s->fresh, &w->node);
    loop_at_flush(s->loop, &s->flush);
}

static void let_go(struct subscriptions *s, struct wish *w)
{
    w->is_held = false;
    if (!w->is_subscribed) {
        drop(s, w);
        return;
    }
    list_remove(&w->node);
    list_append(&s->idle, &w->node);
    w->due_ms = loop_now_ms(s->loop) + SUBSCRIPTIONS_LINGER_MS;
    if (!timer_is_running(&s->linger))
        timer_start(s->loop, &s->linger, SUBSCRIPTIONS_LINGER_MS);
}

void subscriptions_hold(struct subscriptions *s, enum subject_kind kind, struct span name,
                        bool is_held)
{
    uint8_t key[1 + UINT8_MAX];

    if (name.len > UINT8_MAX)
        return; /* groups.h: a name has 255 bytes at most */
    key[0] = (uint8_t)kind;
    memcpy(key + 1, name.at, name.len);
    struct span whole = span_of(key, 1 + name.len);
    struct wish *w = map_get(s->wishes, whole);
    if (is_held)
        take(s, w ? w : add(s, whole));
    else if (w)
        let_go(s, w);
}

void subscriptions_pause(struct subscriptions *s)
{
    s->is_paused = true;
}

static void forget_all(struct subscriptions *s)
{
    size_t pos = 0;
    struct span key;
    void *wish;

    while (map_next(s->wishes, &pos, &key, &wish)) {
        struct wish *w = wish;
        w->is_subscribed = false;
        if (w->is_held)
            take(s, w);
        else
            drop(s, w);
    }
}

void subscriptions_resume(struct subscriptions *s, bool is_fresh)
{
    s->is_paused = false;
    if (is_fresh)
        forget_all(s);
    loop_at_flush(s->loop, &s->flush);
    timer_start(s->loop, &s->linger, 0);
}

/* Which groups and uids have members in this process: tells who watches, once per turn. */
#include "gateway/interest.h"

#include "base/map.h"

/* What a name was when the turn began: values of `changed`. */
static char was_held, was_not_held;

static void note(struct groups *gs, struct span name, bool is_held)
{
    struct interest *in = gs->owner;
    struct map *changed = in->changed[gs->kind];
    if (list_is_empty(&in->watches) || map_get(changed, name))
        return;
    map_set(changed, name, is_held ? &was_not_held : &was_held);
    interest_will_tell(in);
}

static void tell_all(struct interest *in, enum member_kind kind, struct span name, bool is_held)
{
    for (struct list *n = in->watches.next; n != &in->watches; n = n->next) {
        struct interest_watch *w = CONTAINER_OF(n, struct interest_watch, node);
        w->on_change(w, kind, name, is_held);
    }
}

static void tell_kind(struct interest *in, enum member_kind kind)
{
    struct span name;
    void *before;
    size_t pos = 0;
    while (map_next(in->changed[kind], &pos, &name, &before)) {
        bool is_held = groups_find(in->tables[kind], name) != NULL;
        if (is_held != (before == &was_held))
            tell_all(in, kind, name, is_held);
        map_remove(in->changed[kind], name);
    }
}

static void on_tell(struct task *t)
{
    struct interest *in = CONTAINER_OF(t, struct interest, tell);
    tell_kind(in, MEMBER_GROUP);
    tell_kind(in, MEMBER_UID);
    for (struct list *n = in->watches.next; n != &in->watches; n = n->next) {
        struct interest_watch *w = CONTAINER_OF(n, struct interest_watch, node);
        if (w->on_end)
            w->on_end(w);
    }
}

void interest_init(struct interest *in, struct loop *l, struct groups *groups, struct groups *uids)
{
    *in = (struct interest){.loop = l, .tables = {groups, uids}, .tell = {.run = on_tell}};
    list_init(&in->watches);
    for (size_t i = 0; i < MEMBER_KINDS; i++) {
        in->changed[i] = map_new();
        in->tables[i]->on_change = note;
        in->tables[i]->owner = in;
    }
}

void interest_fini(struct interest *in)
{
    task_cancel(in->loop, &in->tell);
    for (size_t i = 0; i < MEMBER_KINDS; i++) {
        in->tables[i]->on_change = NULL;
        map_free(in->changed[i]);
    }
}

void interest_watch(struct interest *in, struct interest_watch *w)
{
    list_append(&in->watches, &w->node);
}

void interest_unwatch(struct interest *in, struct interest_watch *w)
{
    list_remove(&w->node);
}

void interest_will_tell(struct interest *in)
{
    loop_after_read(in->loop, &in->tell);
}

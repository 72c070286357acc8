/* Which gateways are there in the whole cluster, by what they say of themselves on NATS. */
#include "cluster/presence.h"

#include <ctype.h>
#include <string.h>

#include "base/idmap.h"
#include "base/log.h"
#include "base/mem.h"
#include "cluster/envelope.h"

enum { HOST_MAX = 64 };

struct member {
    struct gateway_at at;
    uint64_t life;
    uint64_t last_life; /* of another process that said it was at this address */
    uint64_t heard_ms;
    char host[HOST_MAX];
};

void presence_init(struct presence *p, void (*on_gone)(void *owner, struct gateway_at at),
                   void *owner)
{
    *p = (struct presence){.members = idmap_new(), .on_gone = on_gone, .owner = owner};
}

void presence_fini(struct presence *p)
{
    size_t pos = 0;
    uint64_t id;
    void *member;

    while (idmap_next(p->members, &pos, &id, &member))
        mem_free(member);
    idmap_free(p->members);
    addr_book_fini(&p->book);
}

bool presence_has(const struct presence *p, struct gateway_at at)
{
    return idmap_get(p->members, gateway_at_key(at)) != NULL;
}

static void rebuild(struct presence *p)
{
    size_t pos = 0;
    uint64_t id;
    void *member;

    addr_book_clear(&p->book);
    while (idmap_next(p->members, &pos, &id, &member))
        addr_book_add(&p->book, ((struct member *)member)->at);
}

/* Others write this name, and it is for the log. */
static void set_host(struct member *m, struct span name)
{
    size_t len = name.len < HOST_MAX - 1 ? name.len : HOST_MAX - 1;

    for (size_t i = 0; i < len; i++)
        m->host[i] = isgraph(name.at[i]) ? (char)name.at[i] : '?';
    m->host[len] = '\0';
}

static void come(struct presence *p, const struct envelope *e, uint64_t now_ms)
{
    struct member *m = mem_zalloc(sizeof *m);
    char text[ADDR_TEXT_MAX];

    *m = (struct member){.at = e->at, .life = e->life, .heard_ms = now_ms};
    set_host(m, e->rest);
    idmap_set(p->members, gateway_at_key(m->at), m);
    addr_book_add(&p->book, m->at);
    gateway_at_text(m->at, text);
    log_info("gateway %s of host %s is in the cluster", text, m->host);
}

static void go(struct presence *p, struct member *m, const char *how)
{
    struct gateway_at at = m->at;
    char text[ADDR_TEXT_MAX];

    gateway_at_text(at, text);
    log_warn("gateway %s of host %s %s", text, m->host, how);
    idmap_remove(p->members, gateway_at_key(at));
    mem_free(m);
    rebuild(p);
    if (p->on_gone)
        p->on_gone(p->owner, at);
}

/* A process that was restarted has another life; two lives that take turns are two processes. */
static void note_life(struct member *m, uint64_t life)
{
    static struct log_rate rate;
    char text[ADDR_TEXT_MAX];

    if (life == m->life)
        return;
    gateway_at_text(m->at, text);
    if (life == m->last_life)
        log_limited(&rate, LOG_ERROR,
                    "two gateways say that they are %s: give each host a lan_ip of its own", text);
    m->last_life = m->life;
    m->life = life;
}

void presence_hear(struct presence *p, const struct envelope *e, uint64_t now_ms)
{
    struct member *m = idmap_get(p->members, gateway_at_key(e->at));

    if (e->kind == ENVELOPE_LEFT) {
        if (m && m->life == e->life)
            go(p, m, "has left the cluster");
    } else if (!m) {
        come(p, e, now_ms);
    } else {
        m->heard_ms = now_ms;
        note_life(m, e->life);
    }
}

static struct member *find_silent(const struct presence *p, uint64_t now_ms)
{
    size_t pos = 0;
    uint64_t id;
    void *member;

    while (idmap_next(p->members, &pos, &id, &member)) {
        struct member *m = member;
        if (now_ms - m->heard_ms > PRESENCE_SILENT_MS)
            return m;
    }
    return NULL;
}

void presence_look(struct presence *p, uint64_t now_ms)
{
    for (struct member *m = find_silent(p, now_ms); m; m = find_silent(p, now_ms))
        go(p, m, "has said nothing on NATS for 6 s: it counts as gone");
}

void presence_excuse(struct presence *p, uint64_t now_ms)
{
    size_t pos = 0;
    uint64_t id;
    void *member;

    while (idmap_next(p->members, &pos, &id, &member))
        ((struct member *)member)->heard_ms = now_ms;
}

/* One section of a role with its slots: how many processes, where they listen, what they run. */
#include "proc/group.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <gw/err.h>

#include "base/mem.h"
#include "proc/fleet.h"
#include "proc/listen.h"

/* The value of a role's key that is found by its name. false: it has no such key. */
static bool find_value(const struct conf_section *s, const char *key, enum conf_type type,
                       void *value, size_t value_bytes)
{
    for (size_t i = 0; i < s->table->keys_n; i++) {
        const struct conf_key *k = &s->table->keys[i];
        if (strcmp(k->name, key) != 0 || k->type != type)
            continue;
        memcpy(value, (const char *)s->conf + k->offset, value_bytes);
        return true;
    }
    return false;
}

static const char *text_of(const struct conf_section *s, const char *key)
{
    const char *text;
    return find_value(s, key, CONF_STR, &text, sizeof text) ? text : NULL;
}

static uint64_t seconds_of(const struct conf_section *s, const char *key)
{
    uint64_t ms;
    return find_value(s, key, CONF_SECONDS, &ms, sizeof ms) ? ms : 0;
}

static void set_names(struct group *g)
{
    const char *name = text_of(g->section, "name");
    if (name && *name)
        snprintf(g->name, sizeof g->name, "%s", name);
    else
        snprintf(g->name, sizeof g->name, "%s%s%s", g->role->kind, g->section->name[0] ? ":" : "",
                 g->section->name);
    snprintf(g->title, sizeof g->title, "%s%s%s", g->role->kind, g->section->name[0] ? " " : "",
             g->section->name);
}

static int find_user(struct group *g, const struct fleet *f, struct buf *errors)
{
    const char *user = text_of(g->section, "user");
    g->privileges = *f->privileges;
    if (!user || !*user)
        return 0;
    int rc = privileges_find(user, NULL, &g->privileges);
    if (rc == 0)
        return 0;
    return conf_complain(f->conf, g->section, "user", errors, "\"%s\": %s", user,
                         privileges_complaint(rc));
}

static int plan_slot(struct group *g, struct slot *s, struct buf *errors)
{
    for (size_t i = 0; i < ROLE_LISTENERS_MAX; i++)
        s->fds[i] = -1;
    if (!g->role->plan)
        return 0;
    int n = g->role->plan(s->fleet->conf, g->section, s->pos, s->listens, errors);
    if (n < 0)
        return n;
    s->listens_n = (size_t)n;
    return 0;
}

int group_init(struct group *g, struct fleet *f, const struct role *role,
               const struct conf_section *s, struct buf *errors)
{
    *g = (struct group){.role = role,
                        .section = s,
                        .slots_n = role->count(s->conf),
                        .stuck_timeout_ms = seconds_of(s, "stuck_timeout"),
                        .run_dir = f->settings->run_dir};
    set_names(g);
    int rc_user = find_user(g, f, errors);
    if (rc_user < 0)
        return rc_user;
    g->slots = mem_zalloc((size_t)(g->slots_n > 0 ? g->slots_n : 1) * sizeof *g->slots);
    for (int i = 0; i < g->slots_n; i++) {
        struct slot *slot = &g->slots[i];
        slot->fleet = f;
        slot->group = g;
        slot->pos = i;
        int rc = plan_slot(g, slot, errors);
        if (rc < 0)
            return rc;
    }
    return group_read_credentials(g, f->conf, errors);
}

void group_forget_credentials(struct group *g)
{
    if (g->credentials.at)
        explicit_bzero(g->credentials.at, g->credentials.cap);
    buf_fini(&g->credentials);
}

int group_read_credentials(struct group *g, const struct conf *conf, struct buf *errors)
{
    struct buf fresh = {0};
    int rc = g->role->credentials ? g->role->credentials(conf, g->section, &fresh, errors) : 0;
    if (rc == 0) {
        struct buf old = g->credentials;
        g->credentials = fresh;
        fresh = old;
    }
    if (fresh.at)
        explicit_bzero(fresh.at, fresh.cap);
    buf_fini(&fresh);
    return rc;
}

static void unbind(struct role_listen *l, int *fd)
{
    if (*fd < 0)
        return;
    close(*fd);
    *fd = -1;
    if (l->unix_path)
        unlink(l->unix_path);
}

void group_drop_artifact(const char *run_dir, char **artifact)
{
    size_t len = strlen(run_dir);
    if (*artifact && strncmp(*artifact, run_dir, len) == 0 && (*artifact)[len] == '/')
        unlink(*artifact);
    mem_free(*artifact);
    *artifact = NULL;
}

void group_fini(struct group *g)
{
    for (int i = 0; i < g->slots_n; i++)
        for (size_t k = 0; k < g->slots[i].listens_n; k++)
            unbind(&g->slots[i].listens[k], &g->slots[i].fds[k]);
    mem_free(g->slots);
    group_forget_credentials(g);
    group_drop_artifact(g->run_dir, &g->artifact);
    *g = (struct group){0};
}

/* A bound address that equals `l`, of the slots before `s`; NULL for the first. */
static bool is_bound_before(const struct group *groups, size_t groups_n,
                            const struct role_listen *l)
{
    for (size_t g = 0; g < groups_n; g++)
        for (int i = 0; i < groups[g].slots_n; i++)
            for (size_t k = 0; k < groups[g].slots[i].listens_n; k++) {
                const struct slot *other = &groups[g].slots[i];
                if (other->fds[k] >= 0 && !other->listens[k].unix_path &&
                    memcmp(&other->listens[k].addr, &l->addr, sizeof l->addr) == 0)
                    return true;
            }
    return false;
}

static const char *hint(int rc)
{
    switch (rc) {
    case -EADDRINUSE:
        return "the port is in use: stop the other program or write another port";
    case -EADDRNOTAVAIL:
        return "no network interface of this host has that address";
    case -EACCES:
        return "no permission: ports below 1024 need a start by root";
    default:
        return gw_strerror(rc);
    }
}

/* The processes of a section accept from one unix socket: the descriptor of an earlier slot, -1 in
 * the first. */
static int unix_socket_of(const struct slot *s, const struct role_listen *l)
{
    for (int i = 0; i < s->pos; i++) {
        const struct slot *earlier = &s->group->slots[i];
        for (size_t k = 0; k < earlier->listens_n; k++)
            if (earlier->listens[k].unix_path && earlier->fds[k] >= 0 &&
                strcmp(earlier->listens[k].unix_path, l->unix_path) == 0)
                return earlier->fds[k];
    }
    return -1;
}

static int bind_one(const struct group *groups, size_t groups_n, const struct slot *s,
                    struct role_listen *l)
{
    int earlier_fd = l->unix_path ? unix_socket_of(s, l) : -1;
    if (earlier_fd < 0)
        return listen_bind(l, !is_bound_before(groups, groups_n, l));
    int fd = fcntl(earlier_fd, F_DUPFD_CLOEXEC, 0);
    return fd < 0 ? -errno : fd;
}

static int bind_slot(struct group *groups, size_t groups_n, struct slot *s, const struct conf *conf,
                     struct buf *errors)
{
    for (size_t k = 0; k < s->listens_n; k++) {
        struct role_listen *l = &s->listens[k];
        int fd = bind_one(groups, groups_n, s, l);
        if (fd < 0)
            return conf_complain(conf, s->group->section, l->key ? l->key : "listen", errors,
                                 "cannot listen on %s: %s", l->url, hint(fd));
        s->fds[k] = fd;
    }
    return 0;
}

int group_bind_all(struct group *groups, size_t groups_n, const struct conf *conf,
                   struct buf *errors)
{
    int rc = 0;
    for (size_t g = 0; g < groups_n; g++)
        for (int i = 0; i < groups[g].slots_n; i++)
            if (bind_slot(groups, groups_n, &groups[g].slots[i], conf, errors) < 0) {
                rc = GW_ECONF;
                break; /* the other processes of the section would say the same */
            }
    return rc;
}

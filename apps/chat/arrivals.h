/* Coming into a room, many at once: one list and one notice for all that come at the same moment.
 */
#ifndef CHAT_ARRIVALS_H
#define CHAT_ARRIVALS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gw/gateway.h>
#include <gw/json.h>
#include <gw/module.h>
#include <gw/session.h>
#include <gw/wait.h>

#include "kept.h"
#include "members.h"
#include "send.h"

enum { PART_MAX = 1000 /* members in one "members" message */ };

/* Somebody who is in the room, confirmed by its gateway, and not told of yet. On the stack of its
 * callback, which waits. */
struct arrival {
    struct arrival *next;
    const struct gw_client *client;
    const char *name;
    bool takes_merged;
    bool is_told;
    struct gw_waiter turn; /* woken when it was told of, or is the first of the next batch */
};

/* A room that somebody is just coming into over this worker. While one batch of arrivals reads who
 * is there, the next one gathers: a rush costs a list per batch and not one per head. */
struct door {
    struct door *next;
    struct arrival *line; /* the next batch */
    struct arrival **line_end;
    bool is_busy;
    size_t arriving_n; /* callbacks that hold it */
    size_t counting_n; /* those of them that are just being counted */
    int64_t views;     /* the highest so far */
    int64_t visitors;
    char room[ROOM_MAX_BYTES + 1];
};

static struct door *doors;

static struct door *open_door(const char *room)
{
    struct door *d = doors;
    while (d && strcmp(d->room, room) != 0)
        d = d->next;
    if (!d) {
        d = new_zeroed(1, sizeof *d);
        snprintf(d->room, sizeof d->room, "%s", room);
        d->line_end = &d->line;
        d->next = doors;
        doors = d;
    }
    d->arriving_n++;
    return d;
}

static void close_door(struct door *d)
{
    struct door **link = &doors;
    if (--d->arriving_n > 0)
        return;
    while (*link != d)
        link = &(*link)->next;
    *link = d->next;
    free(d);
}

static struct gw_json *new_login(const struct arrival *a)
{
    struct gw_json *out = gw_json_object();
    gw_json_set_str(out, "type", "login");
    gw_json_set_str(out, "client_id", a->client->id);
    gw_json_set_str(out, "client_name", a->name);
    set_time(out);
    return out;
}

/* Tells those who were there of one who came, as the original does. */
static void tell_of_one(struct gw *gw, const char *room, const struct arrival *a)
{
    struct gw_json *out = new_login(a);
    send_to_room(gw, gw_str(room), out, &(struct ids){(const char *[]){a->client->id}, 1});
    gw_json_free(out);
}

/* The ids of those in the list who are no newcomers, by what their pages understand. */
static struct ids others_in(const struct members *m, const struct gw_json *newcomers,
                            bool takes_merged)
{
    struct ids out = {.at = new_zeroed(m->list->n + 1, sizeof *out.at)};
    for (size_t i = 0; i < m->list->n; i++) {
        const struct gw_client_entry *one = &m->list->clients[i];
        if (gw_session_has(one->session, MERGED) == takes_merged &&
            !gw_json_get(newcomers, one->id))
            out.at[out.n++] = one->id;
    }
    return out;
}

/* Of several: those who were there, once for all, and one by one for pages of the original. The
 * newcomers find one another in their lists, and whoever is in nobody's list yet will find them. */
static void tell_of_many(struct gw *gw, const struct arrival *batch, const struct members *m)
{
    struct gw_json *out = gw_json_object();
    struct gw_json *newcomers = gw_json_object();
    for (const struct arrival *a = batch; a; a = a->next)
        gw_json_set_str(newcomers, a->client->id, a->name);
    struct ids merged = others_in(m, newcomers, true);
    struct ids plain = others_in(m, newcomers, false);
    gw_json_set_str(out, "type", "logins");
    set_time(out);
    gw_json_set(out, "clients", newcomers);
    send_to_some(gw, &merged, out);
    gw_json_free(out);
    for (const struct arrival *a = batch; a && plain.n > 0; a = a->next) {
        out = new_login(a);
        send_to_some(gw, &plain, out);
        gw_json_free(out);
    }
    free(merged.at);
    free(plain.at);
}

/* Without the whole list the room hears of each one: better heard twice than not at all. */
static void tell(struct gw *gw, const char *room, const struct arrival *batch,
                 const struct members *m)
{
    if (batch && batch->next && m->list && m->list->failures_n == 0) {
        tell_of_many(gw, batch, m);
        return;
    }
    for (const struct arrival *a = batch; a; a = a->next)
        tell_of_one(gw, room, a);
}

/* The whole list in the message that tells a page who it is. The list is a text already, the same
 * for all of a batch. */
static void give_whole(struct gw *gw, const struct arrival *a, const char *list)
{
    static const char between[] = ",\"client_list\":";
    struct gw_json *out = new_login(a);
    char *head = gw_json_dump(out, GW_JSON_PHP, NULL);
    size_t head_len = strlen(head) - 1; /* its brace goes to the end */
    char *text = new_zeroed(head_len + sizeof between + strlen(list) + 1, 1);
    sprintf(text, "%.*s%s%s}", (int)head_len, head, between, list);
    gw_send_to_client(gw, a->client->id, gw_str(text));
    free(text);
    gw_free(head);
    gw_json_free(out);
}

/* Who it is and how many parts of the list follow, to each by itself; then the parts, to all. */
static void give_parts(struct gw *gw, const struct arrival *batch, const struct gw_json *names,
                       struct ids *to)
{
    int64_t parts_n = (int64_t)((gw_json_len(names) + PART_MAX - 1) / PART_MAX);
    for (const struct arrival *a = batch; a; a = a->next) {
        if (!a->takes_merged)
            continue;
        struct gw_json *out = new_login(a);
        struct gw_json *self = gw_json_object();
        gw_json_set_str(self, a->client->id, a->name);
        gw_json_set(out, "client_list", self);
        gw_json_set_int(out, "parts", parts_n);
        send_to_one(gw, a->client->id, out);
        gw_json_free(out);
        to->at[to->n++] = a->client->id;
    }
    void *it = NULL;
    const char *id;
    const struct gw_json *name;
    bool has_more = gw_json_next(names, &it, &id, &name);
    while (has_more && to->n > 0) {
        struct gw_json *out = gw_json_object();
        struct gw_json *part = gw_json_object();
        for (size_t n = 0; has_more && n < PART_MAX; n++) {
            gw_json_set_str(part, id, gw_json_as_str(name, ""));
            has_more = gw_json_next(names, &it, &id, &name);
        }
        gw_json_set_str(out, "type", "members");
        gw_json_set(out, "client_list", part);
        send_to_some(gw, to, out);
        gw_json_free(out);
    }
}

/* Two clients that come at the same moment, over different workers and gateways, must learn of one
 * another. Each one first waits until its own gateway has it in the room; then who is there is
 * read, and then the others are told. So if B's list was read before A was in the room, B was in
 * the room before A's notice went out, and gets it. (It may get it before its list: README.md.) */
static void welcome(struct gw *gw, const char *room, const struct arrival *batch, size_t n)
{
    struct members m = members_of(gw, room);
    struct ids arrived = {.at = new_zeroed(n, sizeof *arrived.at)};
    struct ids merged = {.at = new_zeroed(n, sizeof *merged.at)};
    for (const struct arrival *a = batch; a; a = a->next) {
        gw_json_set_str(m.names, a->client->id, a->name);
        arrived.at[arrived.n++] = a->client->id;
    }
    char *list = gw_json_dump(m.names, GW_JSON_PHP, NULL);
    tell(gw, room, batch, &m);
    for (const struct arrival *a = batch; a; a = a->next)
        if (n == 1 || !a->takes_merged)
            give_whole(gw, a, list);
    if (n > 1)
        give_parts(gw, batch, m.names, &merged);
    if (store)
        send_history(gw, &arrived, room);
    gw_free(list);
    free(arrived.at);
    free(merged.at);
    free_members(&m);
}

/* The first in line welcomes all that stand there; who comes meanwhile waits for the next turn. */
static void be_welcomed(struct gw *gw, struct door *d, struct arrival *me)
{
    *d->line_end = me;
    d->line_end = &me->next;
    if (d->is_busy)
        gw_wait(gw, &me->turn);
    if (me->is_told)
        return;
    d->is_busy = true;
    struct arrival *batch = d->line;
    size_t n = 0;
    d->line = NULL;
    d->line_end = &d->line;
    for (const struct arrival *a = batch; a; a = a->next)
        n++;
    welcome(gw, d->room, batch, n);
    for (struct arrival *a = batch; a; a = a->next) {
        a->is_told = true;
        if (a != me)
            gw_wake(gw, &a->turn);
    }
    d->is_busy = d->line != NULL;
    if (d->line)
        gw_wake(gw, &d->line->turn);
}

/* The room hears the figures when the last of a rush was counted. */
static void count_arrival(struct gw *gw, struct door *d, const char *name)
{
    int64_t views = 0;
    int64_t visitors = 0;
    d->counting_n++;
    if (count_view(d->room, name, &views, &visitors)) {
        d->views = views > d->views ? views : d->views;
        d->visitors = visitors > d->visitors ? visitors : d->visitors;
    }
    d->counting_n--;
    if (d->counting_n == 0 && d->views > 0) {
        send_stats(gw, d->room, d->views, d->visitors);
        d->views = 0;
    }
}

/* Room and name go to the gateway at once and not, as values set in client->session, when the
 * callback returns: whoever finds this client in the room must find its name with it. */
static int remember(struct gw *gw, const struct gw_client *client, const char *room,
                    const char *name, bool takes_merged)
{
    struct gw_json *values = gw_json_object();
    gw_json_set_str(values, "room_id", room);
    gw_json_set_str(values, "client_name", name);
    if (takes_merged)
        gw_json_set_bool(values, MERGED, true);
    char *text = gw_json_dump(values, GW_JSON_PLAIN, NULL);
    int rc = gw_update_session(gw, client->id, text);
    gw_free(text);
    gw_json_free(values);
    return rc;
}

static void enter_room(struct gw *gw, const char *room, struct arrival *a)
{
    const char *id = a->client->id;
    int rc = remember(gw, a->client, room, a->name, a->takes_merged);
    if (rc == 0)
        rc = gw_join_group(gw, id, gw_str(room));
    if (rc == 0)
        rc = gw_is_online(gw, id);
    if (rc < 0) {
        gw_log_error(gw, "client %s cannot enter room %s: %s", id, room, gw_strerror(rc));
        send_error(gw, a->client, "busy", "The room cannot be entered at the moment.");
    }
    if (rc <= 0) /* 0: it left while it came; nobody heard of it, so nobody is told */
        return;
    struct door *d = open_door(room);
    be_welcomed(gw, d, a);
    if (store)
        count_arrival(gw, d, a->name);
    close_door(d);
}

#endif

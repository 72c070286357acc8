/* What is kept of a room: what was said lately, and how often and by how many it was visited. */
#ifndef CHAT_KEPT_H
#define CHAT_KEPT_H

#include <stdio.h>
#include <time.h>

#include <gw/json.h>
#include <gw/module.h>
#include <gw/store.h>

#include "send.h"

enum {
    ROOM_MAX_BYTES = 64,
    HISTORY_MAX = 50,
    VISITORS_MAX = 100000, /* names that are told apart in a room */
    KEY_BYTES = sizeof "VISITORS:ROOM:" + ROOM_MAX_BYTES,
};

/* As `option = store=…` says; NULL: nothing is kept. A store that is away costs what it would have
 * kept and nothing else, and the server's log tells of it, so errors are no concern here. */
static struct gw_store *store;

static struct gw_bytes key_of(char key[KEY_BYTES], const char *kind, const char *room)
{
    snprintf(key, KEY_BYTES, "%s:ROOM:%s", kind, room);
    return gw_str(key);
}

/* Unique for ever: the events of one client follow one another, and an id that is given to another
 * client later is given at another time. Pages know by it what they have shown already. */
static void set_id(struct gw_json *message, const char *client_id)
{
    char text[64];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(text, sizeof text, "%s-%llx", client_id,
             (unsigned long long)now.tv_sec * 1000000000 + (unsigned long long)now.tv_nsec);
    gw_json_set_str(message, "id", text);
}

/* Kept before it is said: whoever comes into the room meanwhile finds it in the history, or is a
 * member already and hears it; or both, and then tells by the id that it is one. */
static void keep(struct gw_json *message, const struct gw_client *client, const char *room)
{
    char key[KEY_BYTES];
    if (!store)
        return;
    set_id(message, client->id);
    char *text = gw_json_dump(message, GW_JSON_PLAIN, NULL);
    gw_store_append(store, key_of(key, "HISTORY", room), gw_str(text), HISTORY_MAX);
    gw_free(text);
}

/* What was said lately, to those who have just come in. */
static void send_history(struct gw *gw, const struct ids *arrived, const char *room)
{
    char key[KEY_BYTES];
    const struct gw_values *kept = NULL;
    struct gw_json *messages = gw_json_array();
    gw_store_last(store, key_of(key, "HISTORY", room), HISTORY_MAX, &kept);
    for (size_t i = 0; kept && i < kept->n; i++)
        gw_json_append(messages, gw_json_parse(kept->values[i], NULL, 0));
    gw_values_free(kept);
    struct gw_json *out = gw_json_object();
    gw_json_set_str(out, "type", "history");
    gw_json_set_str(out, "room_id", room);
    bool has_any = gw_json_len(messages) > 0;
    gw_json_set(out, "messages", messages);
    if (has_any)
        send_to_some(gw, arrived, out);
    gw_json_free(out);
}

/* How many names have been in the room, this one included. */
static int64_t count_visitor(const char *room, const char *name)
{
    char key[KEY_BYTES];
    struct gw_bytes visitors = key_of(key, "VISITORS", room);
    int64_t visits = 0;
    int64_t n = gw_store_count(store, visitors);
    if (n < 0 || n >= VISITORS_MAX)
        return n;
    int rc = gw_store_incr(store, visitors, gw_str(name), 1, &visits);
    return rc < 0 ? rc : n + (visits == 1);
}

/* A login is a page view; the key is the one that GatewayWorker's manual counts in. */
static bool count_view(const char *room, const char *name, int64_t *views, int64_t *visitors)
{
    char key[KEY_BYTES];
    if (gw_store_incr(store, key_of(key, "PV", room), gw_str("ROOM_TOTAL_PV"), 1, views) < 0)
        return false;
    *visitors = count_visitor(room, name);
    return *visitors >= 0;
}

static void send_stats(struct gw *gw, const char *room, int64_t views, int64_t visitors)
{
    struct gw_json *out = gw_json_object();
    gw_json_set_str(out, "type", "stats");
    gw_json_set_str(out, "room_id", room);
    gw_json_set_int(out, "views", views);
    gw_json_set_int(out, "visitors", visitors);
    send_to_room(gw, gw_str(room), out, NULL);
    gw_json_free(out);
}

#endif

/* Messages as JSON: to one client, to some, to a room. */
#ifndef CHAT_SEND_H
#define CHAT_SEND_H

#include <stdlib.h>
#include <time.h>

#include <gw/gateway.h>
#include <gw/json.h>
#include <gw/module.h>

/* Without memory the process ends, as it does in gw_json_…(). */
static void *new_zeroed(size_t n, size_t bytes)
{
    void *at = calloc(n > 0 ? n : 1, bytes); /* calloc(0) may give NULL */
    if (!at)
        abort();
    return at;
}

enum { TIME_TEXT_BYTES = sizeof "2026-11-20 12:00:00" };

/* Written once for all messages of a second. */
static void set_time(struct gw_json *message)
{
    static char text[TIME_TEXT_BYTES];
    static time_t last;
    time_t now = time(NULL);
    if (now != last) {
        struct tm local;
        localtime_r(&now, &local);
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local);
        last = now;
    }
    gw_json_set_str(message, "time", text);
}

/* Client ids, as the calls that take lists of them want them. */
struct ids {
    const char **at;
    size_t n;
};

static void send_to_room(struct gw *gw, struct gw_bytes room, const struct gw_json *message,
                         const struct ids *except)
{
    struct gw_send how = {0};
    char *text = gw_json_dump(message, GW_JSON_PHP, NULL);
    if (except) {
        how.exclude_ids = except->at;
        how.exclude_n = except->n;
    }
    gw_send_to_groups(gw, &room, 1, gw_str(text), &how);
    gw_free(text);
}

static void send_to_some(struct gw *gw, const struct ids *ids, const struct gw_json *message)
{
    if (ids->n == 0)
        return; /* an empty list would mean everybody */
    const struct gw_send how = {.only_ids = ids->at, .only_n = ids->n};
    char *text = gw_json_dump(message, GW_JSON_PHP, NULL);
    gw_send_to_all(gw, gw_str(text), &how);
    gw_free(text);
}

static void send_to_one(struct gw *gw, const char *client_id, const struct gw_json *message)
{
    char *text = gw_json_dump(message, GW_JSON_PHP, NULL);
    gw_send_to_client(gw, client_id, gw_str(text));
    gw_free(text);
}

/* What a page shows as text and what a program can tell apart. */
static void send_error(struct gw *gw, const struct gw_client *client, const char *code,
                       const char *message)
{
    struct gw_json *out = gw_json_object();
    gw_json_set_str(out, "type", "error");
    gw_json_set_str(out, "code", code);
    gw_json_set_str(out, "message", message);
    char *text = gw_json_dump(out, GW_JSON_PHP, NULL);
    gw_send_to_client(gw, client->id, gw_str(text));
    gw_free(text);
    gw_json_free(out);
}

#endif

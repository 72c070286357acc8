/* The chat: rooms, what is said to all or to one, who comes and who goes.
 *
 * The messages are those of workerman-chat, byte for byte, so that its pages and its Events.php can
 * stand in for ours; README.md lists them. Nothing is kept in this process: a client's room and
 * name are its session, a room is a group, what was said and counted is in the store, so any number
 * of workers and gateways share the work and a reload forgets nothing. */
#include <stdio.h>
#include <stdlib.h>

#include <gw/gateway.h>
#include <gw/json.h>
#include <gw/module.h>
#include <gw/session.h>
#include <gw/store.h>

#include "arrivals.h"
#include "kept.h"
#include "members.h"
#include "send.h"
#include "text.h"

enum {
    NAME_MAX_CHARS = 64,
    CONTENT_MAX_BYTES = 4096,
};

/* ---- coming and going ---- */

static void tell_logout(struct gw *gw, const struct gw_client *client)
{
    struct gw_json *out = gw_json_object();
    gw_json_set_str(out, "type", "logout");
    gw_json_set_str(out, "from_client_id", client->id);
    gw_json_set_str(out, "from_client_name", gw_session_str(client->session, "client_name", ""));
    set_time(out);
    send_to_room(gw, gw_str(gw_session_str(client->session, "room_id", "")), out,
                 &(struct ids){(const char *[]){client->id}, 1});
    gw_json_free(out);
}

static void leave_room(struct gw *gw, const struct gw_client *client)
{
    if (!gw_session_has(client->session, "room_id"))
        return;
    gw_leave_group(gw, client->id, gw_str(gw_session_str(client->session, "room_id", "")));
    tell_logout(gw, client);
}

/* Rooms come as numbers (workerman-chat's page) or as text; "1" and 1 are the same room. */
static bool read_room(const struct gw_json *in, char room[ROOM_MAX_BYTES + 1])
{
    const struct gw_json *value = gw_json_get(in, "room_id");
    if (gw_json_type(value) == GW_JSON_INT) {
        snprintf(room, ROOM_MAX_BYTES + 1, "%lld", (long long)gw_json_as_int(value, 0));
        return true;
    }
    struct gw_bytes text = gw_json_as_strn(value);
    if (!is_line(text) || text.len > ROOM_MAX_BYTES)
        return false;
    memcpy(room, text.data, text.len);
    room[text.len] = '\0';
    return true;
}

static void on_login(struct gw *gw, const struct gw_client *client, const struct gw_json *in)
{
    char room[ROOM_MAX_BYTES + 1];
    if (!read_room(in, room)) {
        send_error(gw, client, "bad_room", "room_id must be a number or 1 to 64 bytes of text.");
        return;
    }
    struct gw_bytes name = gw_json_strn(in, "client_name");
    if (!is_line(name) || chars_n(name) > NAME_MAX_CHARS) {
        send_error(gw, client, "bad_name", "client_name must have 1 to 64 characters.");
        return;
    }
    char *escaped = escape(name, false);
    if (!escaped)
        return;
    leave_room(gw, client);
    struct arrival arrival = {
        .client = client, .name = escaped, .takes_merged = gw_json_bool(in, MERGED, false)};
    enter_room(gw, room, &arrival);
    free(escaped);
}

/* Who is here, asked by a page that doubts its list: a gateway that was killed told nobody which of
 * its clients are gone. */
static void on_list(struct gw *gw, const struct gw_client *client, const struct gw_json *in)
{
    if (!gw_session_has(client->session, "room_id")) {
        send_error(gw, client, "not_logged_in", "Log in before you ask who is here.");
        return;
    }
    struct gw_json *out = gw_json_object();
    gw_json_set_str(out, "type", "list");
    struct members m = members_of(gw, gw_session_str(client->session, "room_id", ""));
    gw_json_set(out, "client_list", gw_json_copy(m.names));
    free_members(&m);
    send_to_one(gw, client->id, out);
    gw_json_free(out);
}

/* ---- talking ---- */

static struct gw_json *new_say(const struct gw_client *client, const char *to_client_id)
{
    struct gw_json *out = gw_json_object();
    gw_json_set_str(out, "type", "say");
    gw_json_set_str(out, "from_client_id", client->id);
    gw_json_set_str(out, "from_client_name", gw_session_str(client->session, "client_name", ""));
    gw_json_set_str(out, "to_client_id", to_client_id);
    return out;
}

/* The content is prefix, name and suffix in bold, then the text; all are HTML already. */
static void say_to_one(struct gw *gw, struct gw_json *out, const char *client_id,
                       const char *const bold[3], const char *html)
{
    size_t size =
        strlen(bold[0]) + strlen(bold[1]) + strlen(bold[2]) + strlen(html) + sizeof "<b></b>";
    char *content = malloc(size);
    if (!content)
        return;
    snprintf(content, size, "<b>%s%s%s</b>%s", bold[0], bold[1], bold[2], html);
    gw_json_set_str(out, "content", content);
    set_time(out);
    send_to_one(gw, client_id, out);
    free(content);
}

/* Only to somebody in the same room; the name in the echo is the one that this somebody has, not
 * the one that the sender's page claims. */
static void say_private(struct gw *gw, const struct gw_client *client, const char *to_client_id,
                        const char *html)
{
    int rc = 0;
    struct gw_session *other = gw_get_session(gw, to_client_id, &rc);
    const char *name = gw_session_str(other, "client_name", "");
    const char *room = gw_session_str(client->session, "room_id", "");
    if (!other || strcmp(gw_session_str(other, "room_id", ""), room) != 0) {
        send_error(gw, client, "not_here", "The addressee is not in this room.");
    } else {
        struct gw_json *out = new_say(client, to_client_id);
        say_to_one(gw, out, to_client_id, (const char *[]){"对你说: ", "", ""}, html);
        say_to_one(gw, out, client->id, (const char *[]){"你对", name, "说: "}, html);
        gw_json_free(out);
    }
    gw_session_free(other);
}

static void on_say(struct gw *gw, const struct gw_client *client, const struct gw_json *in)
{
    if (!gw_session_has(client->session, "room_id")) {
        send_error(gw, client, "not_logged_in", "Log in before you say something.");
        return;
    }
    struct gw_bytes content = gw_json_strn(in, "content");
    if (content.len == 0 || content.len > CONTENT_MAX_BYTES ||
        memchr(content.data, 0, content.len)) {
        send_error(gw, client, "bad_content", "content must be text of 1 to 4096 bytes.");
        return;
    }
    const char *to = gw_json_str(in, "to_client_id", NULL);
    if (!to) { /* a private message with a broken address must not become a public one */
        send_error(gw, client, "bad_addressee", "to_client_id must be a client id or \"all\".");
        return;
    }
    char *html = escape(content, true);
    if (!html)
        return;
    if (strcmp(to, "all") != 0) {
        say_private(gw, client, to, html);
    } else {
        const char *room = gw_session_str(client->session, "room_id", "");
        struct gw_json *out = new_say(client, "all");
        gw_json_set_str(out, "content", html);
        set_time(out);
        keep(out, client, room);
        send_to_room(gw, gw_str(room), out, NULL);
        gw_json_free(out);
    }
    free(html);
}

/* ---- the module ---- */

static void on_pong(struct gw *gw, const struct gw_client *client, const struct gw_json *in)
{
    /* The answer to ping_data; that it came is all there is to know, and the gateway noted it. */
}

static const struct {
    const char *type;
    void (*handle)(struct gw *gw, const struct gw_client *client, const struct gw_json *in);
} message_types[] = {
    {"pong", on_pong},
    {"login", on_login},
    {"say", on_say},
    {"list", on_list},
};

static void on_message(struct gw *gw, const struct gw_client *client, struct gw_bytes message)
{
    char reason[128] = "";
    struct gw_json *in = gw_json_parse(message, reason, sizeof reason);
    if (!in) {
        send_error(gw, client, "bad_json", reason);
        return;
    }
    const char *type = gw_json_str(in, "type", "");
    size_t types_n = sizeof message_types / sizeof message_types[0];
    size_t i = 0;
    while (i < types_n && strcmp(type, message_types[i].type) != 0)
        i++;
    if (i < types_n)
        message_types[i].handle(gw, client, in);
    else
        send_error(gw, client, "bad_type", "type must be login, say, list or pong.");
    gw_json_free(in);
}

static void on_start(struct gw *gw)
{
    const char *url = gw_option(gw, "store");
    if (url && url[0] != '\0')
        store = gw_store_open(gw, url);
}

static void on_close(struct gw *gw, const struct gw_client *client)
{
    if (gw_session_has(client->session, "room_id"))
        tell_logout(gw, client);
}

const struct gw_module gw_module = {
    .abi = GW_MODULE_ABI,
    .name = "chat",
    .on_start = on_start,
    .on_message = on_message,
    .on_close = on_close,
};

/* The chat: rooms, what is said to all or to one, who comes and who goes.
 *
 * The messages are those of workerman-chat, byte for byte, so that its pages and its Events.php can
 * stand in for ours; README.md lists them. Nothing is kept in this process: a client's room and
 * name are its session, a room is a group, what was said and counted is in the store, so any number
 * of workers and gateways share the work and a reload forgets nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <gw/gateway.h>
#include <gw/json.h>
#include <gw/module.h>
#include <gw/session.h>
#include <gw/store.h>

enum {
    NAME_MAX_CHARS = 64,
    ROOM_MAX_BYTES = 64,
    CONTENT_MAX_BYTES = 4096,
    TIME_TEXT_BYTES = sizeof "2026-11-20 12:00:00",
    HISTORY_MAX = 50,
    VISITORS_MAX = 100000, /* names that are told apart in a room */
    KEY_BYTES = sizeof "VISITORS:ROOM:" + ROOM_MAX_BYTES,
    ESCAPED_MAX = sizeof "&quot;" - 1, /* the longest thing one byte becomes */
};

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

static void set_time(struct gw_json *message)
{
    char text[TIME_TEXT_BYTES];
    time_t now = time(NULL);
    struct tm local;
    localtime_r(&now, &local);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local);
    gw_json_set_str(message, "time", text);
}

/* What PHP's htmlspecialchars() makes of one character, NULL when it stays as it is. */
static const char *entity_of(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#039;";
    default:
        return NULL;
    }
}

/* Text as HTML, with <br /> before each line end when has_breaks (PHP's nl2br(), which takes \r\n
 * and \n\r for one). Freed with free(); NULL without memory. */
static char *escape(struct gw_bytes text, bool has_breaks)
{
    static const char line_break[] = "<br />";
    char *out = malloc(text.len * (ESCAPED_MAX + sizeof line_break) + 1);
    if (!out)
        return NULL;
    char *to = out;
    char open_end = '\0'; /* the line end that the other one may complete */
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        bool is_end = c == '\r' || c == '\n';
        bool is_completed = is_end && open_end != '\0' && c != open_end;
        if (has_breaks && is_end && !is_completed)
            to = stpcpy(to, line_break);
        open_end = '\0';
        if (is_end && !is_completed)
            open_end = c;
        const char *entity = entity_of(c);
        if (entity)
            to = stpcpy(to, entity);
        else
            *to++ = c;
    }
    *to = '\0';
    return out;
}

static size_t chars_n(struct gw_bytes text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += ((unsigned char)text.data[i] & 0xc0) != 0x80; /* not inside a UTF-8 character */
    return n;
}

/* A line that a person can read: no control characters, and not only blanks. */
static bool is_line(struct gw_bytes text)
{
    bool has_ink = false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c < ' ' || c == 0x7f)
            return false;
        has_ink = has_ink || c != ' ';
    }
    return has_ink;
}

static void send_to_room(struct gw *gw, struct gw_bytes room, const struct gw_json *message,
                         const char *except_id)
{
    const struct gw_send how = {.exclude_ids = &except_id, .exclude_n = except_id ? 1 : 0};
    char *text = gw_json_dump(message, GW_JSON_PHP, NULL);
    gw_send_to_groups(gw, &room, 1, gw_str(text), &how);
    gw_free(text);
}

static void send_to_one(struct gw *gw, const char *client_id, const struct gw_json *message)
{
    char *text = gw_json_dump(message, GW_JSON_PHP, NULL);
    gw_send_to_client(gw, client_id, gw_str(text));
    gw_free(text);
}

/* ---- what is kept ---- */

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

/* What was said lately, to who has just come in. */
static void send_history(struct gw *gw, const struct gw_client *client, const char *room)
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
        send_to_one(gw, client->id, out);
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
static void count_view(struct gw *gw, const char *room, const char *name)
{
    char key[KEY_BYTES];
    int64_t views = 0;
    if (gw_store_incr(store, key_of(key, "PV", room), gw_str("ROOM_TOTAL_PV"), 1, &views) < 0)
        return;
    int64_t visitors = count_visitor(room, name);
    if (visitors < 0)
        return;
    struct gw_json *out = gw_json_object();
    gw_json_set_str(out, "type", "stats");
    gw_json_set_str(out, "room_id", room);
    gw_json_set_int(out, "views", views);
    gw_json_set_int(out, "visitors", visitors);
    send_to_room(gw, gw_str(room), out, NULL);
    gw_json_free(out);
}

/* ---- coming and going ---- */

static void tell_logout(struct gw *gw, const struct gw_client *client)
{
    struct gw_json *out = gw_json_object();
    gw_json_set_str(out, "type", "logout");
    gw_json_set_str(out, "from_client_id", client->id);
    gw_json_set_str(out, "from_client_name", gw_session_str(client->session, "client_name", ""));
    set_time(out);
    send_to_room(gw, gw_str(gw_session_str(client->session, "room_id", "")), out, client->id);
    gw_json_free(out);
}

/* Room and name go to the gateway at once and not, as values set in client->session, when the
 * callback returns: whoever finds this client in the room must find its name with it. */
static int remember(struct gw *gw, const struct gw_client *client, const char *room,
                    const char *name)
{
    struct gw_json *values = gw_json_object();
    gw_json_set_str(values, "room_id", room);
    gw_json_set_str(values, "client_name", name);
    char *text = gw_json_dump(values, GW_JSON_PLAIN, NULL);
    int rc = gw_update_session(gw, client->id, text);
    gw_free(text);
    gw_json_free(values);
    return rc;
}

/* Ids and names of everybody in the room. A gateway that does not answer hides its members from
 * this list, which is better than no list. */
static struct gw_json *members_of(struct gw *gw, const char *room)
{
    struct gw_json *members = gw_json_object();
    const struct gw_client_list *list = NULL;
    int rc = gw_get_client_sessions_by_group(gw, gw_str(room), &list);
    if (rc < 0)
        gw_log_error(gw, "members of room %s: %s", room, gw_strerror(rc));
    for (size_t i = 0; list && i < list->n; i++) {
        const struct gw_client_entry *one = &list->clients[i];
        const char *name = gw_session_str(one->session, "client_name", NULL);
        if (name)
            gw_json_set_str(members, one->id, name);
    }
    gw_result_free(list);
    return members;
}

/* Two clients that come at the same moment, over different workers and gateways, must learn of one
 * another. Each one first waits until its own gateway has it in the room, then reads who is there,
 * and then tells the others. So if B's list was read before A was in the room, B was in the room
 * before A's notice went out, and gets it. (It may get it before its list: README.md.) */
static void enter_room(struct gw *gw, const struct gw_client *client, const char *room,
                       const char *name)
{
    int rc = remember(gw, client, room, name);
    if (rc == 0)
        rc = gw_join_group(gw, client->id, gw_str(room));
    if (rc == 0)
        rc = gw_is_online(gw, client->id);
    if (rc < 0) {
        gw_log_error(gw, "client %s cannot enter room %s: %s", client->id, room, gw_strerror(rc));
        send_error(gw, client, "busy", "The room cannot be entered at the moment.");
    }
    if (rc <= 0) /* 0: it left while it came; nobody heard of it, so nobody is told */
        return;

    struct gw_json *members = members_of(gw, room);
    gw_json_set_str(members, client->id, name);
    struct gw_json *out = gw_json_object();
    gw_json_set_str(out, "type", "login");
    gw_json_set_str(out, "client_id", client->id);
    gw_json_set_str(out, "client_name", name);
    set_time(out);
    send_to_room(gw, gw_str(room), out, client->id);
    gw_json_set(out, "client_list", members);
    send_to_one(gw, client->id, out);
    gw_json_free(out);
    if (store) {
        send_history(gw, client, room);
        count_view(gw, room, name);
    }
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
    enter_room(gw, client, room, escaped);
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
    gw_json_set(out, "client_list", members_of(gw, gw_session_str(client->session, "room_id", "")));
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

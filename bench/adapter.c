/* What differs between the servers under test, as a table. */
#include "bench/adapter.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/ws_client.h"

__attribute__((format(printf, 3, 4))) static void put_text(struct outbuf *out, uint8_t opcode,
                                                           const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    ws_client_put(out, opcode, text, (size_t)n);
}

__attribute__((format(printf, 2, 3))) static void set_head(struct envelope *e, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    e->head_len = (size_t)vsnprintf(e->head, sizeof e->head, fmt, args);
    va_end(args);
}

static void set_tail(struct envelope *e, const char *text)
{
    e->tail_len = strlen(text);
    memcpy(e->tail, text, e->tail_len);
}

static void root_path(const struct seat *s, char *to, size_t bytes)
{
    snprintf(to, bytes, "/");
}

/* ---- floor: one room, chosen on its command line, and nothing around the payload ---- */

static void floor_join(const struct seat *s, struct outbuf *out)
{
}

static void floor_envelope(const struct seat *s, struct envelope *out)
{
}

/* ---- thin: one letter says what to do; the module, the ws, uWebSockets and PHP peers speak it
 * ---- */

static void thin_join(const struct seat *s, struct outbuf *out)
{
    if (s->purpose == FOR_ROOM)
        put_text(out, WS_TEXT, "j%u", s->room);
    if (s->purpose == FOR_FULL)
        put_text(out, WS_TEXT, "u%u", s->member);
}

static void thin_envelope(const struct seat *s, struct envelope *out)
{
    if (s->purpose == FOR_ECHO)
        set_head(out, "e");
    else
        set_head(out, "p%u|", s->room);
}

/* ---- the chat: workerman-chat's JSON ---- */

void adapter_put_login(const struct seat *s, struct outbuf *out)
{
    put_text(out, WS_TEXT,
             "{\"type\":\"login\",\"client_name\":\"user%06u\",\"room_id\":\"%u\",\"merged\":true}",
             s->member, s->room + 1);
}

static void chat_join(const struct seat *s, struct outbuf *out)
{
    if (s->purpose == FOR_ROOM || s->purpose == FOR_FULL)
        adapter_put_login(s, out);
}

static void chat_envelope(const struct seat *s, struct envelope *out)
{
    set_head(out, "{\"type\":\"say\",\"to_client_id\":\"all\",\"to_client_name\":\"all\","
                  "\"content\":\"");
    set_tail(out, "\"}");
}

/* The application's heartbeat: {"type":"ping"}. */
static void chat_on_other(struct seat *s, const uint8_t *at, size_t len, struct outbuf *out)
{
    static const char ping[] = "{\"type\":\"ping\"}";
    if (len == sizeof ping - 1 && memcmp(at, ping, len) == 0)
        put_text(out, WS_TEXT, "{\"type\":\"pong\"}");
}

/* ---- NATS: its text protocol in binary frames, which need not begin where messages do ---- */

static void nats_subject(const struct seat *s, char *to, size_t bytes)
{
    if (s->purpose == FOR_ECHO)
        snprintf(to, bytes, "echo.%u", s->member);
    else
        snprintf(to, bytes, "room.%u", s->room);
}

static void nats_join(const struct seat *s, struct outbuf *out)
{
    char subject[32];
    nats_subject(s, subject, sizeof subject);
    put_text(out, WS_BINARY, "CONNECT {\"verbose\":false,\"pedantic\":false,\"echo\":true}\r\n");
    if (s->purpose != FOR_IDLE)
        put_text(out, WS_BINARY, "SUB %s 1\r\n", subject);
}

static void nats_envelope(const struct seat *s, struct envelope *out)
{
    char subject[32];
    nats_subject(s, subject, sizeof subject);
    set_head(out, "PUB %s %u\r\n", subject, s->payload_len);
    set_tail(out, "\r\n");
}

static void nats_on_other(struct seat *s, const uint8_t *at, size_t len, struct outbuf *out)
{
    if (len >= 4 && memcmp(at, "PING", 4) == 0)
        put_text(out, WS_BINARY, "PONG\r\n");
}

/* "MSG subject sid bytes\r\npayload\r\n"; every other line stands alone. */
static size_t nats_take(const uint8_t *at, size_t len, const uint8_t **payload, size_t *payload_len)
{
    const uint8_t *end = memchr(at, '\n', len);
    if (!end)
        return 0;
    size_t line = (size_t)(end + 1 - at);
    *payload = at;
    *payload_len = line;
    if (memcmp(at, "MSG ", line < 4 ? line : 4) != 0)
        return line;
    size_t bytes = 0;
    size_t unit = 1;
    for (const uint8_t *p = end - 2; p > at && *p >= '0' && *p <= '9'; p--, unit *= 10)
        bytes += (size_t)(*p - '0') * unit;
    if (len < line + bytes + 2)
        return 0;
    *payload = at + line;
    *payload_len = bytes;
    return line + bytes + 2;
}

/* ---- nginx with nchan: a channel per room, or per client for echo ---- */

static void nchan_path(const struct seat *s, char *to, size_t bytes)
{
    if (s->purpose == FOR_ECHO)
        snprintf(to, bytes, "/pubsub/e%u", s->member);
    else
        snprintf(to, bytes, "/pubsub/r%u", s->room);
}

/* ---- socket.io 4 over Engine.IO 4, WebSocket only ---- */

static void socketio_path(const struct seat *s, char *to, size_t bytes)
{
    snprintf(to, bytes, "/socket.io/?EIO=4&transport=websocket");
}

static void socketio_on_other(struct seat *s, const uint8_t *at, size_t len, struct outbuf *out)
{
    if (len >= 1 && at[0] == '0')
        put_text(out, WS_TEXT, "40");
    else if (len == 1 && at[0] == '2')
        put_text(out, WS_TEXT, "3");
    if (len < 2 || memcmp(at, "40", 2) != 0)
        return;
    s->is_welcome = true;
    if (s->purpose == FOR_ROOM)
        put_text(out, WS_TEXT, "42[\"join\",\"%u\"]", s->room);
}

static void socketio_envelope(const struct seat *s, struct envelope *out)
{
    if (s->purpose == FOR_ECHO)
        set_head(out, "42[\"echo\",\"");
    else
        set_head(out, "42[\"publish\",\"%u\",\"", s->room);
    set_tail(out, "\"]");
}

static const struct adapter adapters[] = {
    {.name = "floor", .path = root_path, .join = floor_join, .envelope = floor_envelope},
    {.name = "thin", .path = root_path, .join = thin_join, .envelope = thin_envelope},
    {.name = "chat",
     .path = root_path,
     .join = chat_join,
     .envelope = chat_envelope,
     .on_other = chat_on_other},
    {.name = "nats",
     .is_binary = true,
     .path = root_path,
     .join = nats_join,
     .envelope = nats_envelope,
     .on_other = nats_on_other,
     .take = nats_take},
    {.name = "nchan", .path = nchan_path, .join = floor_join, .envelope = floor_envelope},
    {.name = "socketio",
     .has_greeting = true,
     .path = socketio_path,
     .join = floor_join,
     .envelope = socketio_envelope,
     .on_other = socketio_on_other},
};

const struct adapter *adapter_find(const char *name)
{
    for (size_t i = 0; i < sizeof adapters / sizeof adapters[0]; i++)
        if (strcmp(adapters[i].name, name) == 0)
            return &adapters[i];
    return NULL;
}

void adapter_list(char *to, size_t bytes)
{
    size_t used = 0;
    for (size_t i = 0; i < sizeof adapters / sizeof adapters[0] && used < bytes; i++)
        used += (size_t)snprintf(to + used, bytes - used, "%s%s", i ? ", " : "", adapters[i].name);
}

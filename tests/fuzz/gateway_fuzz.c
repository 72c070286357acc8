/* A whole gateway: the input chooses who connects, speaks, listens, leaves and how time passes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "fuzz/both_ways.h"
#include "fuzz/dice.h"
#include "fuzz/gateway_scene.h"
#include "gateway/gateway.h"
#include "proto/wire.h"

enum { OPS_MAX = 300, LARGE_BYTES = 40000 };
enum { IS_DRAINED = 0x80, IS_BYTEWISE = 0x40 };

struct game {
    struct dice dice;
    struct scene scene;
};

/* ---- clients ---- */

static struct scene_client *some_client(struct game *g)
{
    return &g->scene.clients[dice_below(&g->dice, SCENE_CLIENTS_MAX)];
}

static const char handshake[] =
    "GET /chat?room=a HTTP/1.1\r\nHost: a\r\nOrigin: https://a\r\nX-Forwarded-For: 10.0.0.1\r\n"
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/* With what a well-behaved client says first, or without. */
static void client_comes(struct game *g)
{
    struct scene_client *c = some_client(g);
    uint8_t how = dice_byte(&g->dice);
    if (c->cable)
        return;
    c->cable = kernel_dial(g->scene.listeners[0], (uint16_t)(1000 + how));
    if (!c->cable || how & 0x80)
        return;
    if (scene_has_proxy(&g->scene)) {
        static const char head[] = "PROXY TCP4 10.0.0.2 10.0.0.3 1 2\r\n";
        cable_say(c->cable, head, strlen(head));
    }
    if (scene_protocol(&g->scene) == SCENE_WEBSOCKET)
        cable_say(c->cable, handshake, strlen(handshake));
}

/* A whole message in the protocol; WebSocket with any first byte and a mask of zeros. */
static void client_speaks(struct game *g)
{
    struct scene_client *c = some_client(g);
    struct span text = dice_bytes(&g->dice);
    uint8_t first = dice_byte(&g->dice);
    struct buf out = {0};
    switch (scene_protocol(&g->scene)) {
    case SCENE_TEXT:
        buf_put_span(&out, text);
        buf_putc(&out, '\n');
        break;
    case SCENE_FRAME:
        buf_put_u32be(&out, (uint32_t)text.len + 4);
        buf_put_span(&out, text);
        break;
    default:
        buf_putc(&out, first ? first : 0x81); /* FIN, text */
        buf_putc(&out, 0x80 | 126);
        buf_put_u16be(&out, (uint16_t)text.len);
        buf_put(&out, "\0\0\0\0", 4);
        buf_put_span(&out, text);
    }
    if (c->cable)
        cable_say(c->cable, out.at, out.len);
    buf_fini(&out);
}

static void client_says_anything(struct game *g)
{
    struct scene_client *c = some_client(g);
    struct span bytes = dice_bytes(&g->dice);
    if (c->cable)
        cable_say(c->cable, bytes.at, bytes.len);
}

static void client_leaves(struct game *g)
{
    struct scene_client *c = some_client(g);
    bool is_reset = dice_byte(&g->dice) & 1;
    if (!c->cable)
        return;
    if (is_reset)
        cable_reset(c->cable);
    else
        cable_leave(c->cable);
    c->cable = NULL;
    c->is_deaf = false;
}

static void client_is_deaf(struct game *g)
{
    struct scene_client *c = some_client(g);
    uint8_t room = dice_byte(&g->dice);
    c->is_deaf = c->cable && room < 0x80;
    if (c->is_deaf)
        cable_set_room(c->cable, room);
}

/* ---- links ---- */

static struct scene_link *some_link(struct game *g)
{
    return &g->scene.links[dice_below(&g->dice, SCENE_LINKS_MAX)];
}

static void send_packet(struct scene_link *l, const struct wire_packet *p)
{
    struct buf out = {0};
    wire_put(&out, p);
    cable_say(l->cable, out.at, out.len);
    buf_fini(&out);
}

static void link_comes(struct game *g)
{
    enum { IS_LIBRARY = 1, IS_OLD = 2, HAS_JUDGE = 4, IS_STRANGER = 8, IS_SILENT = 16 };
    struct scene_link *l = some_link(g);
    uint8_t how = dice_byte(&g->dice);
    char greeting[160];
    if (l->cable)
        return;
    l->cable = kernel_dial(g->scene.listeners[1], 60000);
    if (!l->cable)
        return;
    l->is_closed = mem_zalloc(SCENE_IDS_MAX);
    l->is_mixed = how & IS_SILENT;
    l->is_worker = !(how & (IS_LIBRARY | IS_SILENT));
    if (how & IS_SILENT)
        return;
    snprintf(greeting, sizeof(greeting), "{\"worker_key\":\"w%d\",\"secret_key\":\"%s%s\"%s%s%s}",
             (int)(l - g->scene.links), scene_secret(&g->scene), how & IS_STRANGER ? "?" : "",
             how & IS_OLD ? "" : ",\"gatehouse\":1", how & HAS_JUDGE ? ",\"judge\":1" : "",
             how & IS_LIBRARY ? ",\"packets\":1" : "");
    send_packet(l, &(struct wire_packet){.cmd = l->is_worker ? CMD_WORKER_CONNECT
                                                             : CMD_GATEWAY_CLIENT_CONNECT,
                                         .flag = WIRE_SCALAR,
                                         .body = span_str(greeting)});
    if (how & IS_OLD)
        l->is_mixed = true; /* from its first query on its answers stand between events */
}

/* What commands carry: names of groups and uids, values, sessions, ids; or any bytes. */
static struct span some_bytes(struct game *g)
{
    static const char *const known[] = {
        "a",
        "b",
        "{\"connections\":{\"1\":1,\"2\":2},\"exclude\":{\"3\":3}}",
        "{\"group\":\"a\",\"exclude\":[]}",
        "[\"a\",\"b\"]",
        "a:2:{i:0;s:1:\"a\";i:1;s:1:\"b\";}",
        "a:1:{s:4:\"name\";s:1:\"x\";}",
        "a:2:{s:6:\"fields\";a:2:{i:0;s:7:\"session\";i:1;s:3:\"uid\";}s:5:\"where\";a:1:{s:6:"
        "\"groups\";a:1:{s:1:\"a\";s:1:\"a\";}}}",
        "a:2:{s:6:\"fields\";a:1:{i:0;s:6:\"groups\";}s:5:\"where\";a:1:{s:13:\"connection_id\";a:"
        "1:"
        "{i:1;i:1;}}}",
    };
    static const char ids[] = "\0\0\0\1\0\0\0\2\0\0\0\3";
    static const char verdict[] = "\0\0X-A: b\n";
    static char large[LARGE_BYTES];
    unsigned which = dice_byte(&g->dice);
    if (which < ARRAY_LEN(known))
        return span_str(known[which]);
    switch (which) {
    case 0x20:
        return span_of(ids, sizeof(ids) - 1);
    case 0x21:
        return span_of(verdict, sizeof(verdict) - 1);
    case 0x22:
        memset(large, 'x', sizeof(large));
        return span_of(large, sizeof(large));
    case 0x23:
        return span_of(NULL, 0);
    default:
        return dice_bytes(&g->dice);
    }
}

static void link_commands(struct game *g)
{
    static const uint8_t commands[] = {
        CMD_SEND_TO_ONE,
        CMD_SEND_TO_ALL,
        CMD_KICK,
        CMD_DESTROY,
        CMD_UPDATE_SESSION,
        CMD_GET_ALL_CLIENT_SESSIONS,
        CMD_IS_ONLINE,
        CMD_BIND_UID,
        CMD_UNBIND_UID,
        CMD_SEND_TO_UID,
        CMD_GET_CLIENT_ID_BY_UID,
        CMD_BATCH_GET_CLIENT_ID_BY_UID,
        CMD_JOIN_GROUP,
        CMD_LEAVE_GROUP,
        CMD_SEND_TO_GROUP,
        CMD_GET_CLIENT_SESSIONS_BY_GROUP,
        CMD_GET_CLIENT_COUNT_BY_GROUP,
        CMD_SELECT,
        CMD_GET_GROUP_ID_LIST,
        CMD_UNGROUP,
        CMD_BATCH_GET_CLIENT_COUNT_BY_GROUP,
        CMD_GET_SESSION_BY_CLIENT_ID,
        CMD_SET_SESSION,
        CMD_DRAIN,
        CMD_DRAINED,
        CMD_RELEASE,
        CMD_DONE,
        CMD_RECEIPT,
        CMD_JUDGE,
        CMD_FINISHED,
    };
    struct scene_link *l = some_link(g);
    struct wire_packet p = {.cmd = commands[dice_below(&g->dice, ARRAY_LEN(commands))]};
    p.connection_id = dice_below(&g->dice, 12);
    p.flag = dice_byte(&g->dice);
    p.ext = some_bytes(g);
    p.body = some_bytes(g);
    if (l->cable)
        send_packet(l, &p);
}

static void link_says_anything(struct game *g)
{
    struct scene_link *l = some_link(g);
    struct span bytes = dice_bytes(&g->dice);
    if (l->cable)
        cable_say(l->cable, bytes.at, bytes.len);
}

static void link_leaves(struct game *g)
{
    struct scene_link *l = some_link(g);
    bool is_reset = dice_byte(&g->dice) & 1;
    if (l->cable)
        scene_link_close(&g->scene, l, is_reset);
}

static void link_is_deaf(struct game *g)
{
    struct scene_link *l = some_link(g);
    uint8_t room = dice_byte(&g->dice);
    l->is_deaf = l->cable && room < 0x80;
    if (l->is_deaf)
        cable_set_room(l->cable, room);
}

/* ---- the world ---- */

static void time_passes(struct game *g)
{
    static const uint16_t steps_ms[] = {1, 20, 100, 500, 1000, 3000, 11000, 31000};
    kernel_pass(steps_ms[dice_below(&g->dice, ARRAY_LEN(steps_ms))]);
    scene_turn(&g->scene);
}

static void registry_does(struct game *g)
{
    uint8_t what = dice_byte(&g->dice);
    struct cable *c = kernel_dialled();
    if (!c)
        return;
    cable_answer(c, what & 1);
    if (what & 2)
        cable_say(c, "{\"event\":\"x\"}\n", 14);
    if (what & 4)
        cable_end(c);
    if (what & 8)
        cable_reset(c);
}

static void accepts_fail(struct game *g)
{
    static const int errors[] = {EMFILE, ECONNABORTED, ENOMEM, EAGAIN};
    kernel_fail_accepts(errors[dice_below(&g->dice, ARRAY_LEN(errors))], dice_below(&g->dice, 3));
}

static bool count_row(void *ctx, const struct role_connection *row)
{
    unsigned *left = ctx;
    return (*left)-- > 0;
}

static void somebody_looks(struct game *g)
{
    struct role_status status = {0};
    unsigned left = dice_byte(&g->dice);
    gateway_role.status(g->scene.gateway, &status);
    gateway_role.connections(g->scene.gateway, count_row, &left);
}

static void turn(struct game *g)
{
    scene_turn(&g->scene);
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    static void (*const ops[])(struct game *) = {
        turn,           client_comes,   client_speaks,      client_says_anything,
        client_leaves,  link_comes,     link_says_anything, link_leaves,
        client_is_deaf, link_is_deaf,   time_passes,        registry_does,
        accepts_fail,   somebody_looks, link_commands,      link_commands};
    static struct game g;
    g.dice.rest = span_of(at, len);
    uint8_t choices = dice_byte(&g.dice);
    scene_begin(&g.scene, (choices & 0x3f) % scene_variants_n());
    kernel_set_grain(choices & IS_BYTEWISE ? 1 : 0);
    for (int i = 0; i < OPS_MAX && g.dice.rest.len > 0; i++) {
        uint8_t op = dice_byte(&g.dice);
        ops[op % ARRAY_LEN(ops)](&g);
        if (!(op & 0x80))
            scene_turn(&g.scene);
    }
    scene_end(&g.scene, choices & IS_DRAINED);
    return 0;
}

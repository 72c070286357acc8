/* The HTTP API of a whole web process: the input chooses what visitors ask and gateways answer.
 *
 * The process lives through all inputs, as it frees nothing when it ends; between two of them its
 * visitors leave and its gateway comes back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <gw/json.h>

#include "base/conf.h"
#include "base/log.h"
#include "fuzz/both_ways.h"
#include "fuzz/dice.h"
#include "fuzz/kernel.h"
#include "proto/http.h"
#include "proto/wire.h"
#include "web/api_conf.h"
#include "web/web.h"
#include "web/web_conf.h"

enum { VISITORS_MAX = 4, LINKS_MAX = 4, OPS_MAX = 100, STEP_MS = 250, STEPS_MAX = 400 };
enum { REGISTRY_PORT = 1236, GATEWAY_PORT = 2300 };

struct visitor_of_ours {
    struct cable *cable; /* NULL: this place is free */
    unsigned owed_n;     /* answers to whole requests */
    bool is_wild;        /* has said anything: its answers are not counted */
};

static struct {
    struct role_env env;
    void *web;
    int listener;
    struct cable *links[LINKS_MAX]; /* to the one gateway there is; NULL: this place is free */
    struct dice dice;
    struct visitor_of_ours visitors[VISITORS_MAX];
} s;

static const char conf_text[] =
    "[web]\nlisten = http://127.0.0.1:1\nroot = /\nregister_address = 127.0.0.1:1236\n"
    "api_max_body = 4096\napi_max_batch = 5\napi_max_targets = 3\napi_max_results = 4\n"
    "api_timeout = 2\napi_max_calls = 3\napi_origin = https://a\n"
    "[api all]\ntoken = all-0123456789abcdef\ncalls = *\nrate = 0\n"
    "[api some]\ntoken = some-0123456789abcdef\ncalls = read, send\ngroups = a*, b\nrate = 5\n";

static void on_told(struct role_env *env)
{
}

static void begin_once(void)
{
    char path[64];
    struct conf *conf;
    struct buf errors = {0};
    const struct conf_table *tables[] = {&web_conf_table, &api_key_table};
    int fd = memfd_create("web.conf", MFD_CLOEXEC);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (fd < 0 || write(fd, conf_text, strlen(conf_text)) < 0 ||
        log_open("/dev/null", LOG_INFO, false) < 0 ||
        conf_load(path, tables, ARRAY_LEN(tables), &errors, &conf) < 0) {
        fputs(buf_cstr(&errors), stderr);
        abort();
    }
    close(fd);
    struct buf credentials = {0};
    if (web_role.credentials(conf, conf_section_at(conf, 0), &credentials, &errors) < 0)
        abort();
    kernel_init();
    s.listener = kernel_listen(80);
    s.env = (struct role_env){.loop = loop_new(),
                              .conf = conf,
                              .section = conf_section_at(conf, 0),
                              .role = &web_role,
                              .listen_fds = &s.listener,
                              .listen_fds_n = 1,
                              .credentials = buf_span(&credentials),
                              .ready = on_told,
                              .finished = on_told};
    s.env.conns = conn_pool_new(s.env.loop);
    if (web_role.start(&s.env, &s.web) < 0)
        abort();
    buf_fini(&credentials);
}

/* ---- registry and gateway ---- */

static void send_packet(struct cable *link, const struct wire_packet *p)
{
    struct buf out = {0};
    wire_put(&out, p);
    cable_say(link, out.at, out.len);
    buf_fini(&out);
}

static void link_up(struct cable *link)
{
    size_t i = 0;
    while (i < LINKS_MAX - 1 && s.links[i])
        i++;
    if (s.links[i])
        cable_reset(s.links[i]);
    s.links[i] = link;
    send_packet(link, &(struct wire_packet){.cmd = CMD_HELLO,
                                            .flag = WIRE_SCALAR,
                                            .body = span_str("{\"gatehouse\":1}")});
}

static void answer_dials(void)
{
    static const char list[] =
        "{\"event\":\"broadcast_addresses\",\"addresses\":[\"127.0.0.1:2300\"]}\n";
    for (struct cable *c = kernel_dialled(); c; c = kernel_dialled()) {
        cable_answer(c, true);
        if (cable_port(c) == REGISTRY_PORT)
            cable_say(c, list, strlen(list));
        else if (cable_port(c) == GATEWAY_PORT)
            link_up(c);
    }
}

static bool is_query(uint8_t cmd)
{
    switch (cmd) {
    case CMD_GET_ALL_CLIENT_SESSIONS:
    case CMD_IS_ONLINE:
    case CMD_GET_CLIENT_ID_BY_UID:
    case CMD_BATCH_GET_CLIENT_ID_BY_UID:
    case CMD_GET_CLIENT_SESSIONS_BY_GROUP:
    case CMD_GET_CLIENT_COUNT_BY_GROUP:
    case CMD_BATCH_GET_CLIENT_COUNT_BY_GROUP:
    case CMD_SELECT:
    case CMD_GET_GROUP_ID_LIST:
    case CMD_GET_SESSION_BY_CLIENT_ID:
    case CMD_RECEIPT:
        return true;
    default:
        return false;
    }
}

static void answer_query(struct cable *link)
{
    static const char *const values[] = {
        "i:1;",
        "i:0;",
        "N;",
        "a:0:{}",
        "a:2:{i:0;s:1:\"a\";i:1;s:1:\"b\";}",
        "a:2:{i:1;a:1:{s:1:\"k\";d:0.5;}i:2;a:0:{}}",
        "a:1:{i:1;a:3:{s:3:\"uid\";s:1:\"u\";s:6:\"groups\";a:1:{s:1:\"a\";s:1:\"a\";}s:7:"
        "\"session\";"
        "a:0:{}}}",
        "s:24:\"a:1:{s:4:\"name\";s:1:\"x\";}\";",
        "a:1:{s:1:\"u\";a:2:{i:1;i:1;i:2;i:2;}}",
        "a:3:{s:1:\"a\";i:3;s:1:\"b\";i:1;i:7;i:2;}",
    };
    unsigned which = dice_byte(&s.dice);
    if (which == 0xff)
        return; /* late */
    struct span value = which < ARRAY_LEN(values) ? span_str(values[which])
                        : which < 0x40            ? span_str(values[which % 4])
                                                  : dice_bytes(&s.dice);
    send_packet(link, &(struct wire_packet){
                          .cmd = CMD_REPLY, .flag = which == 0xfe ? WIRE_MORE : 0, .body = value});
}

static void hear_link(struct cable **link)
{
    struct buf *heard = cable_heard(*link);
    struct wire_packet p;
    ssize_t n;
    cable_set_room(*link, 1 << 16);
    while ((n = wire_decode(buf_span(heard), SIZE_MAX, &p)) > 0) {
        if (is_query(p.cmd))
            answer_query(*link);
        buf_consume(heard, (size_t)n);
    }
    if (n < 0)
        abort();
    if (!cable_is_over(*link))
        return;
    cable_leave(*link);
    *link = NULL;
}

static bool is_gateway_there(void)
{
    for (size_t i = 0; i < LINKS_MAX; i++)
        if (s.links[i])
            return true;
    return false;
}

/* ---- visitors ---- */

static size_t header_number(struct span head, const char *name)
{
    const uint8_t *at = memmem(head.at, head.len, name, strlen(name));
    return at ? strtoul((const char *)at + strlen(name), NULL, 10) : 0;
}

/* One whole answer at the front: its length, or 0. Its body is JSON. */
static size_t check_answer(struct span in)
{
    char error[120];
    const uint8_t *end = in.len > 0 ? memmem(in.at, in.len, "\r\n\r\n", 4) : NULL;
    if (!end)
        return 0;
    struct span head = span_of(in.at, (size_t)(end - in.at) + 4);
    size_t body_bytes = header_number(head, "Content-Length: ");
    if (memcmp(head.at, "HTTP/1.1 ", 9) != 0 || header_number(head, "HTTP/1.1 ") < 200)
        abort();
    if (in.len - head.len < body_bytes)
        return 0;
    struct gw_json *json =
        gw_json_parse(gw_bytes(in.at + head.len, body_bytes), error, sizeof(error));
    /* Whoever is too slow is told so in words. */
    if (body_bytes > 0 && !json && header_number(head, "HTTP/1.1 ") != 408)
        abort();
    gw_json_free(json);
    return head.len + body_bytes;
}

static void hear_visitor(struct visitor_of_ours *v)
{
    struct buf *heard = cable_heard(v->cable);
    size_t n;
    cable_set_room(v->cable, 1 << 16);
    while (!v->is_wild && (n = check_answer(buf_span(heard))) > 0) {
        if (v->owed_n-- == 0)
            abort();
        buf_consume(heard, n);
    }
    if (v->is_wild)
        buf_clear(heard);
    if (!cable_is_over(v->cable))
        return;
    cable_leave(v->cable);
    *v = (struct visitor_of_ours){0};
}

static void turn(void)
{
    if (loop_turn(s.env.loop, 0) < 0)
        abort();
    for (size_t i = 0; i < LINKS_MAX; i++)
        if (s.links[i])
            hear_link(&s.links[i]);
    for (size_t i = 0; i < VISITORS_MAX; i++)
        if (s.visitors[i].cable)
            hear_visitor(&s.visitors[i]);
}

static struct visitor_of_ours *some_visitor(void)
{
    struct visitor_of_ours *v = &s.visitors[dice_below(&s.dice, VISITORS_MAX)];
    if (!v->cable)
        v->cable = kernel_dial(s.listener, 1000);
    return v;
}

static void ask(void)
{
    static const char *const calls[] = {"send",         "bind",    "unbind",  "join",   "leave",
                                        "ungroup",      "kick",    "session", "online", "groups",
                                        "uids",         "count",   "batch",   "send",   "client",
                                        "openapi.json", "nothing", "sessions"};
    static const char *const tokens[] = {"all-0123456789abcdef", "some-0123456789abcdef", "wrong"};
    static const char *const bodies[] = {
        "{\"client\":\"7f00000108fc00000001\",\"message\":\"hi\"}",
        "{\"group\":[\"a\",\"b\"],\"json\":{\"x\":1},\"exclude\":[\"7f00000108fc00000001\"]}",
        "{\"uid\":\"u\",\"base64\":\"aGk=\",\"binary\":true}",
        "{\"all\":true,\"message\":\"x\",\"raw\":true}",
        "{\"client\":[\"7f00000108fc00000001\"],\"group\":\"a\",\"uid\":\"u\",\"set\":{\"a\":1}}",
        "[{\"call\":\"send\",\"group\":\"a\",\"message\":\"x\"},{\"call\":\"count\",\"group\":"
        "\"a\"},"
        "{\"call\":\"kick\",\"client\":\"7f00000108fc00000001\"}]",
        "[{\"call\":\"online\",\"uid\":[\"u\"]},{\"call\":\"sessions\",\"group\":\"a\"}]",
    };
    struct visitor_of_ours *v = some_visitor();
    const char *call = calls[dice_below(&s.dice, ARRAY_LEN(calls))];
    uint8_t how = dice_byte(&s.dice);
    unsigned which = dice_byte(&s.dice);
    struct span body = which < ARRAY_LEN(bodies) ? span_str(bodies[which]) : dice_bytes(&s.dice);
    struct buf out = {0};
    if (how & 0x80) {
        buf_printf(&out, "GET /api/%s?", call);
        for (size_t i = 0; i < body.len; i++)
            buf_putc(&out,
                     body.at[i] > ' ' && body.at[i] < 0x7f && body.at[i] != '#' ? body.at[i] : '+');
    } else {
        buf_printf(&out, "POST /api/%s", call);
    }
    buf_printf(&out, " HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n",
               tokens[how % ARRAY_LEN(tokens)]);
    if (how & 0x40)
        buf_puts(&out, "Origin: https://a\r\n");
    if (!(how & 0x80))
        buf_printf(&out, "Content-Type: application/json\r\nContent-Length: %zu\r\n", body.len);
    buf_puts(&out, "\r\n");
    if (!(how & 0x80))
        buf_put_span(&out, body);
    if (v->cable) {
        cable_say(v->cable, out.at, out.len);
        v->owed_n++;
    }
    buf_fini(&out);
}

static void say_anything(void)
{
    struct visitor_of_ours *v = some_visitor();
    struct span bytes = dice_bytes(&s.dice);
    v->is_wild = true;
    if (v->cable)
        cable_say(v->cable, bytes.at, bytes.len);
}

static void leave(void)
{
    struct visitor_of_ours *v = &s.visitors[dice_below(&s.dice, VISITORS_MAX)];
    if (v->cable)
        cable_leave(v->cable);
    *v = (struct visitor_of_ours){0};
}

static void lose_link(void)
{
    struct cable *link = s.links[dice_below(&s.dice, LINKS_MAX)];
    if (link)
        cable_reset(link);
}

static void gateway_says_anything(void)
{
    struct cable *link = s.links[dice_below(&s.dice, LINKS_MAX)];
    struct span bytes = dice_bytes(&s.dice);
    if (link)
        cable_say(link, bytes.at, bytes.len);
}

static void time_passes(void)
{
    kernel_pass((uint64_t)dice_byte(&s.dice) * 10);
    answer_dials();
    turn();
}

/* ---- one input ---- */

static void pass(void)
{
    kernel_pass(STEP_MS);
    answer_dials();
    turn();
}

static bool is_owed(void)
{
    for (size_t i = 0; i < VISITORS_MAX; i++)
        if (s.visitors[i].cable && !s.visitors[i].is_wild && s.visitors[i].owed_n > 0)
            return true;
    return false;
}

/* Every request has been answered; then everybody leaves and the gateway is back. */
static void end(void)
{
    s.dice.rest.len = 0;
    for (int i = 0; i < STEPS_MAX && is_owed(); i++)
        pass();
    for (size_t i = 0; i < VISITORS_MAX; i++) {
        struct visitor_of_ours *v = &s.visitors[i];
        if (v->cable && !v->is_wild && v->owed_n > 0) {
            fprintf(stderr, "%u requests were never answered\n", v->owed_n);
            abort();
        }
        if (v->cable)
            cable_leave(v->cable);
        *v = (struct visitor_of_ours){0};
    }
    struct role_status status = {.connections_n = 1};
    for (int i = 0; i < STEPS_MAX && (status.connections_n > 0 || !is_gateway_there()); i++) {
        pass();
        web_role.status(s.web, &status);
    }
    if (status.connections_n > 0 || !is_gateway_there()) {
        fprintf(stderr, "%llu visitors do not go; the gateway is %s\n",
                (unsigned long long)status.connections_n, is_gateway_there() ? "there" : "gone");
        abort();
    }
    kernel_recycle();
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    static void (*const ops[])(void) = {
        turn, ask, ask, say_anything, leave, lose_link, gateway_says_anything, time_passes};
    if (!s.web) {
        begin_once();
        end();
    }
    s.dice.rest = span_of(at, len);
    uint8_t grain = dice_byte(&s.dice);
    kernel_set_grain(grain < 4 ? grain : 0);
    for (int i = 0; i < OPS_MAX && s.dice.rest.len > 0; i++) {
        uint8_t op = dice_byte(&s.dice);
        ops[op % ARRAY_LEN(ops)]();
        if (!(op & 0x80))
            turn();
    }
    kernel_set_grain(0);
    end();
    return 0;
}

/* Every call of GatewayClient that was recorded: our requests are the same bytes, and the recorded
 * answers become results with the same values as the PHP call returned. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <gw/gateway.h>

#include "base/mem.h"
#include "client/io.h"
#include "client/session.h"
#include "proto/phpser.h"
#include "support/vectors.h"
#include "unit/client/replay_calls.h"

/* ---- a table that compares instead of sending ---- */

struct replay {
    struct gw gw;
    const json_t *exchanges; /* of the call being replayed */
    const char *what;
    struct addr_book book; /* in the order of the exchanges */
    size_t seen_n;
};

static const json_t *exchange_of(const struct replay *r, struct gateway_at at)
{
    char text[ADDR_TEXT_MAX];
    size_t i;
    json_t *exchange;

    gateway_at_text(at, text);
    json_array_foreach(r->exchanges, i,
                       exchange) if (strcmp(json_string_value(json_object_get(exchange, "address")),
                                            text) == 0) return exchange;
    fail_msg("%s: nothing was sent to %s when it was recorded", r->what, text);
    return NULL;
}

static const json_t *compare(struct replay *r, struct gateway_at at, const struct wire_packet *p)
{
    const json_t *exchange = exchange_of(r, at);
    struct buf want = {0};
    struct buf got = {0};

    assert_true(vectors_hex(exchange, "request_hex", &want));
    wire_put(&got, p);
    assert_bytes(r->what, buf_span(&got), buf_span(&want));
    buf_fini(&want);
    buf_fini(&got);
    r->seen_n++;
    return exchange;
}

static int gateways(struct gw *gw, const struct addr_book **out)
{
    *out = &CONTAINER_OF(gw, struct replay, gw)->book;
    return (*out)->len > 0 ? 0 : GW_ENOGATEWAY;
}

static int send_packet(struct gw *gw, struct gateway_at to, const struct wire_packet *p)
{
    (void)compare(CONTAINER_OF(gw, struct replay, gw), to, p);
    return 0;
}

static int settle(struct gw *gw)
{
    return 0;
}

static void ask(struct gw *gw, const struct wire_packet *p, struct fanout *f)
{
    for (size_t i = 0; i < f->n; i++) {
        const json_t *exchange = compare(CONTAINER_OF(gw, struct replay, gw), f->targets[i].at, p);
        assert_true(vectors_hex(exchange, "reply_hex", &f->targets[i].answer));
        buf_consume(&f->targets[i].answer, 4); /* the length */
    }
}

static const struct gw_io replay_io = {
    .gateways = gateways, .send = send_packet, .settle = settle, .ask = ask};

/* ---- the replay ---- */

static void fill_book(struct replay *r)
{
    size_t i;
    json_t *exchange;

    addr_book_clear(&r->book);
    json_array_foreach(r->exchanges, i, exchange) assert_int_equal(
        addr_book_add_text(&r->book, json_string_value(json_object_get(exchange, "address"))), 0);
    if (r->book.len == 0) /* a call that is refused before anything is sent */
        addr_book_add(&r->book, (struct gateway_at){.ip = 0x7f000001, .port = 2300});
}

/* A number as message, uid or group: C passes texts, which other steps have. And bytes that are not
 * UTF-8, which stand as U+FFFD in the arguments (vectors/README.md). */
static bool is_unsayable(const json_t *args)
{
    size_t i;
    json_t *arg;

    json_array_foreach(args, i, arg) if (json_is_number(arg)) return true;
    char *text = json_dumps(args, JSON_COMPACT);
    bool is_lost = text && strstr(text, "\xef\xbf\xbd");

    free(text);
    return is_lost;
}

static enum outcome replay_step(const json_t *step)
{
    struct replay r = {.gw = {.io = &replay_io}};
    call_fn *call = find_call(json_string_value(json_object_get(step, "method")));
    struct buf got = {0};
    struct buf want = {0};

    if (!call || is_unsayable(json_object_get(step, "args")))
        return SKIPPED;
    r.exchanges = json_object_get(step, "exchanges");
    r.what = json_string_value(json_object_get(step, "php"));
    fill_book(&r);
    enum outcome outcome = call(&r.gw, json_object_get(step, "args"), &got);
    if (outcome != SKIPPED)
        assert_int_equal(r.seen_n, json_array_size(r.exchanges));
    bool is_told = outcome == RETURNED && vectors_hex(step, "returned_serialized_hex", &want);
    /* gw_get_uid_by_client() gives a C string: a uid with a NUL in it ends there. */
    if (is_told && (call != uid_of_client || span_find(buf_span(&want), '\0') < 0))
        assert_bytes(r.what, buf_span(&got), buf_span(&want));
    buf_fini(&got);
    buf_fini(&want);
    buf_fini(&r.gw.ext);
    addr_book_fini(&r.book);
    return outcome;
}

/* Scenarios with a secret carry two packets per request; tests of the sockets look at those. */
static void test_every_recorded_call(void **state)
{
    json_t *root = vectors_load("gateway-client.json");
    size_t counts[] = {[SKIPPED] = 0, [SENT] = 0, [RETURNED] = 0};
    size_t i;
    json_t *scenario;

    json_array_foreach(json_object_get(root, "scenarios"), i, scenario)
    {
        size_t k;
        json_t *step;
        if (vectors_text(scenario, "secret").len > 0)
            continue;
        json_array_foreach(json_object_get(scenario, "steps"), k,
                           step) if (json_object_get(step, "method")) counts[replay_step(step)]++;
    }
    json_decref(root);
    print_message("%zu requests, %zu requests with results, %zu calls that C has not\n",
                  counts[SENT], counts[RETURNED], counts[SKIPPED]);
    assert_true(counts[SENT] >= 90);
    assert_true(counts[RETURNED] >= 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_recorded_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

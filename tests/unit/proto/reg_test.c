/* reg: every recorded register line is understood, and ours are the recorded bytes. */
#include "proto/reg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <gw/err.h>

#include "support/vectors.h"

/* What jansson, a reader of its own, finds in a line. */
static void assert_as_jansson(struct span line, const struct reg_line *got)
{
    static const char *const names[] = {
        [REG_GATEWAY_CONNECT] = "gateway_connect",
        [REG_WORKER_CONNECT] = "worker_connect",
        [REG_PING] = "ping",
        [REG_BROADCAST] = "broadcast_addresses",
    };
    json_t *want = json_loadb((const char *)line.at, line.len, 0, NULL);
    const json_t *key = json_object_get(want, "secret_key");
    const char *address = json_string_value(json_object_get(want, "address"));

    assert_non_null(want);
    if (got->event != REG_OTHER)
        assert_string_equal(names[got->event], json_string_value(json_object_get(want, "event")));
    if (got->address)
        assert_string_equal(got->address, address);
    else
        assert_true(!address || !*address || strcmp(address, "0") == 0);
    assert_int_equal(got->is_secret_text, !key || json_is_null(key) || json_is_string(key));
    assert_string_equal(got->secret, json_is_string(key) ? json_string_value(key) : "");
    json_decref(want);
}

struct tally {
    size_t lines_n;
    size_t refused_n;
    struct buf pending; /* a line may be recorded in two segments */
};

static void take_line(struct tally *t, struct span line)
{
    struct reg_line got;
    int rc;

    while (line.len > 0 && (line.at[line.len - 1] == '\r' || line.at[line.len - 1] == '\n'))
        line.len--;
    rc = reg_parse(line, &got);
    t->lines_n++;
    if (rc == 0) {
        assert_as_jansson(line, &got);
    } else {
        assert_int_equal(rc, GW_EPROTO);
        t->refused_n++;
    }
    reg_line_fini(&got);
}

static void visit_step(json_t *step, void *ctx)
{
    struct tally *t = ctx;
    struct buf bytes = {0};
    ptrdiff_t end;

    if (span_is(vectors_text(step, "dir"), "open"))
        buf_clear(&t->pending);
    if (!span_is(vectors_text(step, "dir"), "to_register") || !vectors_hex(step, "hex", &bytes))
        return;
    buf_put_span(&t->pending, buf_span(&bytes));
    while ((end = span_find(buf_span(&t->pending), '\n')) >= 0) {
        take_line(t, span_of(t->pending.at, (size_t)end));
        buf_consume(&t->pending, (size_t)end + 1);
    }
    buf_fini(&bytes);
}

static void recorded_lines_to_the_register(void **state)
{
    json_t *root = vectors_load("register.json");
    struct tally t = {0};

    vectors_walk(root, visit_step, &t);
    /* The eleven dialogues that end in "Bad request"; the HTTP request has three lines. */
    assert_int_equal(t.refused_n, 13);
    assert_true(t.lines_n > 50);
    buf_fini(&t.pending);
    json_decref(root);
}

/* Broadcasts of the original come out of our writer again, but for the object that it makes of a
 * list with gaps (unique_keys): we always send a list. */
static void visit_broadcast(json_t *step, void *ctx)
{
    size_t *broadcasts_n = ctx;
    struct buf bytes = {0}, again = {0};
    struct reg_line got;

    if (!span_is(vectors_text(step, "dir"), "from_register") || !vectors_hex(step, "hex", &bytes))
        return;
    struct span line = buf_span(&bytes);
    struct span first = span_cut(&line, '\n');
    if (reg_parse(first, &got) == 0) {
        assert_int_equal(got.event, REG_BROADCAST);
        reg_put_broadcast(&again, (const char *const *)got.addresses.at, got.addresses.len);
        if (!memmem(first.at, first.len, "{\"0\":", 5))
            assert_bytes("broadcast", buf_span(&again), span_of(first.at, first.len + 1));
        else
            assert_bytes("broadcast of an object", buf_span(&again),
                         span_str("{\"event\":\"broadcast_addresses\",\"addresses\":"
                                  "[\"127.0.0.1:2300\",\"127.0.0.1:2301\"]}\n"));
        (*broadcasts_n)++;
    }
    reg_line_fini(&got);
    buf_fini(&bytes);
    buf_fini(&again);
}

static void recorded_broadcasts(void **state)
{
    json_t *root = vectors_load("register.json");
    size_t broadcasts_n = 0;

    vectors_walk(root, visit_broadcast, &broadcasts_n);
    assert_true(broadcasts_n > 30);
    json_decref(root);
}

/* register.json full, worker-gateway.json worker_connect */
static void our_lines_are_the_recorded_bytes(void **state)
{
    struct buf got = {0};

    reg_put_worker_connect(&got, "");
    reg_put_gateway_connect(&got, "127.0.0.1:2300", "123");
    reg_put_ping(&got);
    assert_bytes("lines", buf_span(&got),
                 span_str("{\"event\":\"worker_connect\",\"secret_key\":\"\"}\n"
                          "{\"event\":\"gateway_connect\", \"address\":\"127.0.0.1:2300\", "
                          "\"secret_key\":\"123\"}\n"
                          "{\"event\":\"ping\"}\n"));
    buf_fini(&got);
}

/* The original pastes them and breaks its JSON (reference: defect 5). */
static void awkward_secrets_survive(void **state)
{
    static const char *const secrets[] = {"a\"b\\c", "a/b", "\xe5\xaf\x86\xe9\x92\xa5", "\x01\t"};
    struct reg_line line;
    struct buf got = {0};

    for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
        buf_clear(&got);
        reg_put_gateway_connect(&got, "10.0.0.1:2300", secrets[i]);
        assert_int_equal(reg_parse(span_of(got.at, got.len - 1), &line), 0);
        assert_string_equal(line.secret, secrets[i]);
        assert_string_equal(line.address, "10.0.0.1:2300");
        reg_line_fini(&line);
    }
    buf_fini(&got);
}

static void odd_values_are_not_taken_for_texts(void **state)
{
    static const char text[] = "{\"event\":\"gateway_connect\",\"address\":[1],\"secret_key\":{}}";
    static const char nul[] = "{\"event\":\"gateway_connect\",\"address\":\"a\\u0000\","
                              "\"secret_key\":\"\\u0000\"}";
    static const char list[] = "{\"event\":\"broadcast_addresses\",\"addresses\":[1,null,\"a:1\"]}";
    struct reg_line line;

    assert_int_equal(reg_parse(span_str(text), &line), 0);
    assert_null(line.address);
    assert_false(line.is_secret_text);
    reg_line_fini(&line);
    assert_int_equal(reg_parse(span_str(nul), &line), 0);
    assert_null(line.address);
    assert_false(line.is_secret_text);
    reg_line_fini(&line);
    assert_int_equal(reg_parse(span_str(list), &line), 0);
    assert_int_equal(line.addresses.len, 1);
    reg_line_fini(&line);
}

/* PHP's empty() decides whether there is an address and an event. */
static void empty_values_are_none(void **state)
{
    static const char *const none[] = {"null", "false", "0", "0.0", "[]", "{}", "\"\"", "\"0\""};
    struct reg_line line;
    char text[128];

    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        snprintf(text, sizeof(text), "{\"event\":\"gateway_connect\",\"address\":%s}", none[i]);
        assert_int_equal(reg_parse(span_str(text), &line), 0);
        assert_null(line.address);
        reg_line_fini(&line);
        snprintf(text, sizeof(text), "{\"event\":%s}", none[i]);
        assert_int_equal(reg_parse(span_str(text), &line), GW_EPROTO);
        reg_line_fini(&line);
    }
}

/* No reader would take them; what else the line says stays readable. */
static void bytes_that_are_no_text_are_left_out(void **state)
{
    static const char *const addresses[] = {"10.0.0.1:1", "\xff:2", "10.0.0.3:3"};
    struct buf got = {0};

    reg_put_worker_connect(&got, "\xff");
    reg_put_broadcast(&got, addresses, ARRAY_LEN(addresses));
    assert_bytes("lines", buf_span(&got),
                 span_str("{\"event\":\"worker_connect\",\"secret_key\":\"\"}\n"
                          "{\"event\":\"broadcast_addresses\",\"addresses\":[\"10.0.0.1:1\","
                          "\"10.0.0.3:3\"]}\n"));
    buf_fini(&got);
}

static void long_lines_are_refused(void **state)
{
    struct reg_line line;
    char *text = malloc(REG_LINE_MAX + 1);

    memset(text, ' ', REG_LINE_MAX + 1);
    memcpy(text, "{\"event\":\"ping\"}", 16);
    assert_int_equal(reg_parse(span_of(text, REG_LINE_MAX), &line), 0);
    reg_line_fini(&line);
    assert_int_equal(reg_parse(span_of(text, REG_LINE_MAX + 1), &line), GW_EPROTO);
    reg_line_fini(&line);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_lines_to_the_register),
        cmocka_unit_test(recorded_broadcasts),
        cmocka_unit_test(our_lines_are_the_recorded_bytes),
        cmocka_unit_test(awkward_secrets_survive),
        cmocka_unit_test(odd_values_are_not_taken_for_texts),
        cmocka_unit_test(empty_values_are_none),
        cmocka_unit_test(bytes_that_are_no_text_are_left_out),
        cmocka_unit_test(long_lines_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

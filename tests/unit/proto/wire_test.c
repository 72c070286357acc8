/* wire: every recorded packet decodes to the recorded fields and encodes to the same bytes. */
#include "proto/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <gw/err.h>

#include "base/crypto.h"
#include "support/vectors.h"

static void assert_field(const json_t *head, const char *name, uint64_t got)
{
    json_int_t want = json_integer_value(json_object_get(head, name));

    if ((json_int_t)got != want)
        fail_msg("%s: got %llu, want %lld", name, (unsigned long long)got, (long long)want);
}

/* Text that the recorder shortened ends in "..."; hex members replace what is not UTF-8. */
static void assert_part(const json_t *head, const char *name, const char *hex_name, struct span got)
{
    struct span text = vectors_text(head, name);
    struct buf bytes = {0};

    if (vectors_hex(head, hex_name, &bytes))
        assert_bytes(hex_name, got, buf_span(&bytes));
    else if (text.len < 3 || memcmp(text.at + text.len - 3, "...", 3) != 0)
        assert_bytes(name, got, text);
    buf_fini(&bytes);
}

static void assert_packet(const json_t *head, const struct wire_packet *p)
{
    assert_field(head, "pack_len", wire_size(p));
    assert_field(head, "cmd", p->cmd);
    assert_field(head, "local_ip", p->local_ip);
    assert_field(head, "local_port", p->local_port);
    assert_field(head, "client_ip", p->client_ip);
    assert_field(head, "client_port", p->client_port);
    assert_field(head, "connection_id", p->connection_id);
    assert_field(head, "flag", p->flag);
    assert_field(head, "gateway_port", p->gateway_port);
    assert_field(head, "ext_len", p->ext.len);
    assert_bytes("cmd_name", span_str(wire_cmd_name(p->cmd)), vectors_text(head, "cmd_name"));
    assert_part(head, "ext_data", "ext_data_hex", p->ext);
    assert_part(head, "body", "body_hex", p->body);
}

/* Packets one behind the other, as heads describes them. */
static size_t assert_packets(struct span bytes, json_t *heads)
{
    struct buf again = {0};
    struct span rest = bytes;
    json_t *head;
    size_t i;

    json_array_foreach(heads, i, head)
    {
        struct wire_packet p;
        ssize_t used = wire_decode(rest, WIRE_PACKET_MAX, &p);
        assert_true(used > 0);
        assert_packet(head, &p);
        wire_put(&again, &p);
        rest = span_skip(rest, (size_t)used);
    }
    assert_bytes("encoded again", buf_span(&again), bytes);
    buf_fini(&again);
    return json_array_size(heads);
}

static void visit_exchange(json_t *o, void *ctx)
{
    struct buf bytes = {0};
    size_t *packets_n = ctx;

    if (json_is_array(json_object_get(o, "request")) && vectors_hex(o, "request_hex", &bytes))
        *packets_n += assert_packets(buf_span(&bytes), json_object_get(o, "request"));
    buf_fini(&bytes);
}

static void recorded_requests_of_the_client_library(void **state)
{
    json_t *root = vectors_load("gateway-client.json");
    size_t packets_n = 0;

    vectors_walk(root, visit_exchange, &packets_n);
    assert_int_equal(packets_n, 505);
    json_decref(root);
}

static void visit_packet(json_t *o, void *ctx)
{
    struct buf bytes = {0};
    size_t *packets_n = ctx;
    json_t *head = json_object_get(o, "header");

    if (json_is_object(head) && vectors_hex(o, "hex", &bytes)) {
        json_t *heads = json_array();
        json_array_append(heads, head);
        *packets_n += assert_packets(buf_span(&bytes), heads);
        json_decref(heads);
    }
    buf_fini(&bytes);
}

static void recorded_packets_between_gateway_and_worker(void **state)
{
    json_t *root = vectors_load("worker-gateway.json");
    size_t packets_n = 0;

    vectors_walk(root, visit_packet, &packets_n);
    assert_true(packets_n >= 60);
    json_decref(root);
}

static void incomplete_packets_need_more(void **state)
{
    struct wire_packet p = {.cmd = CMD_KICK, .ext = span_str("ext"), .body = span_str("body")};
    struct buf bytes = {0};

    wire_put(&bytes, &p);
    for (size_t len = 0; len < bytes.len; len++)
        assert_int_equal(wire_decode(span_of(bytes.at, len), WIRE_PACKET_MAX, &p), 0);
    assert_int_equal(wire_decode(buf_span(&bytes), WIRE_PACKET_MAX, &p), (ssize_t)bytes.len);
    buf_fini(&bytes);
}

/* gateway-edge-cases.json pack_len_0 to pack_len_27: the original stalls or falls out of step. */
static void lengths_below_the_head_are_refused(void **state)
{
    struct wire_packet p;
    uint8_t head[WIRE_HEAD] = {0};

    for (uint8_t len = 0; len < WIRE_HEAD; len++) {
        head[3] = len;
        assert_int_equal(wire_decode(span_of(head, 4), WIRE_PACKET_MAX, &p), GW_EPROTO);
        assert_int_equal(wire_decode(span_of(head, sizeof head), WIRE_PACKET_MAX, &p), GW_EPROTO);
    }
}

static void too_long_packets_are_refused_by_their_first_four_bytes(void **state)
{
    const uint8_t head[] = {0, 0, 1, 1};
    struct wire_packet p;

    assert_int_equal(wire_decode(span_of(head, sizeof head), 256, &p), GW_ETOOBIG);
    assert_int_equal(wire_decode(span_of(head, sizeof head), 257, &p), 0);
}

/* gateway-edge-cases.json ext_len_too_big */
static void ext_len_is_cut_to_the_packet(void **state)
{
    struct wire_packet p = {.cmd = CMD_SEND_TO_ALL, .body = span_str("abc")};
    uint8_t bytes[WIRE_HEAD + 3];

    wire_encode(bytes, &p);
    memset(bytes + 24, 0xff, 4);
    assert_int_equal(wire_decode(span_of(bytes, sizeof bytes), WIRE_PACKET_MAX, &p),
                     (ssize_t)sizeof bytes);
    assert_bytes("ext", p.ext, span_str("abc"));
    assert_int_equal(p.body.len, 0);
}

/* Workers tell by the CRC-32 of ext_data whether a session changed (small-functions.json). */
static void session_versions(void **state)
{
    json_t *root = vectors_load("small-functions.json");
    const json_t *vector;
    size_t i;

    assert_int_equal(json_array_size(json_object_get(root, "crc32")), 5);
    json_array_foreach(json_object_get(root, "crc32"), i, vector)
        assert_int_equal(crypto_crc32(vectors_text(vector, "input")),
                         json_integer_value(json_object_get(vector, "crc32")));
    json_decref(root);
}

static void names_of_commands(void **state)
{
    assert_string_equal(wire_cmd_name(CMD_KICK), "CMD_KICK");
    assert_string_equal(wire_cmd_name(CMD_REPLY), "CMD_REPLY");
    assert_string_equal(wire_cmd_name(0), "unknown");
    assert_string_equal(wire_cmd_name(99), "unknown");
    assert_string_equal(wire_cmd_name(255), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_requests_of_the_client_library),
        cmocka_unit_test(recorded_packets_between_gateway_and_worker),
        cmocka_unit_test(incomplete_packets_need_more),
        cmocka_unit_test(lengths_below_the_head_are_refused),
        cmocka_unit_test(too_long_packets_are_refused_by_their_first_four_bytes),
        cmocka_unit_test(ext_len_is_cut_to_the_packet),
        cmocka_unit_test(session_versions),
        cmocka_unit_test(names_of_commands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

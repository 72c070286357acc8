/* The [gateway] section: defaults, addresses per process, and what refuses to start. */
#include "gateway/gateway_conf.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <gw/err.h>

#include "proto/codec.h"
#include "support/tmpdir.h"

struct bench {
    struct tmpdir dir;
    struct conf *conf;
    const struct conf_section *section;
    struct buf errors;
};

static void load(struct bench *b, const char *text)
{
    *b = (struct bench){.dir = tmpdir_make()};
    const struct conf_table *tables[] = {&gateway_conf_table};
    int rc = conf_load(tmpdir_write(&b->dir, "t.conf", text), tables, 1, &b->errors, &b->conf);
    if (rc < 0)
        fail_msg("%s", buf_cstr(&b->errors));
    b->section = conf_section_at(b->conf, 0);
}

static void unload(struct bench *b)
{
    conf_free(b->conf);
    buf_fini(&b->errors);
    tmpdir_remove(&b->dir);
}

static void check_ok(const char *text)
{
    struct bench b;
    load(&b, text);
    if (gateway_conf_check(b.conf, b.section, &b.errors) != 0)
        fail_msg("%s", buf_cstr(&b.errors));
    assert_int_equal(b.errors.len, 0);
    unload(&b);
}

/* The complaint names the line and holds the words. */
static void check_refused(const char *text, const char *where, const char *words)
{
    struct bench b;
    load(&b, text);
    assert_int_equal(gateway_conf_check(b.conf, b.section, &b.errors), GW_ECONF);
    if (!strstr(buf_cstr(&b.errors), where) || !strstr(buf_cstr(&b.errors), words))
        fail_msg("\"%s\" lacks \"%s\" or \"%s\"", buf_cstr(&b.errors), where, words);
    unload(&b);
}

static void defaults(void **state)
{
    struct bench b;
    load(&b, "[gateway chat]\nlisten = websocket://0.0.0.0:7272\n");
    const struct gateway_conf *gc = b.section->conf;
    assert_int_equal(gateway_conf_count(gc), 1);
    assert_string_equal(gc->lan_ip, "127.0.0.1");
    assert_int_equal(gc->start_port, 2300);
    assert_int_equal(gc->register_address.len, 1);
    assert_string_equal(gc->register_address.at[0].text, "127.0.0.1:1236");
    assert_int_equal(gc->ping_interval_ms, 25000);
    assert_int_equal(gc->ping_not_response_limit, 2);
    assert_int_equal(gc->router, ROUTER_LEAST);
    assert_int_equal(gc->on_full, ON_FULL_CLOSE);
    assert_int_equal(gc->send_to_client_buffer_size, 1024000);
    assert_int_equal(gc->send_to_worker_buffer_size, 10240000);
    assert_int_equal(gc->max_message_bytes, 1 << 20);
    assert_int_equal(gc->worker_grace_ms, 30000);
    assert_false(gc->is_insecure);
    assert_int_equal(gateway_conf_packet_max(gc), 10 << 20);
    unload(&b);
}

static void packets_have_room_for_the_largest_message(void **state)
{
    struct bench b;
    load(&b, "[gateway]\nlisten = websocket://0.0.0.0:7272\nmax_message_bytes = 64m\n");
    assert_int_equal(gateway_conf_packet_max(b.section->conf), 65 << 20);
    unload(&b);
}

static void each_process_has_its_inner_port(void **state)
{
    struct bench b;
    struct role_listen at[ROLE_LISTENERS_MAX];
    load(&b, "[gateway]\nlisten = websocket://0.0.0.0:7272\nlisten = text://0.0.0.0:8282\n"
             "count = 3\nstart_port = 4000\n");
    assert_int_equal(gateway_conf_plan(b.conf, b.section, 2, at, &b.errors), 3);
    assert_int_equal(at[0].addr.port, 7272);
    assert_true(at[0].is_shared);
    assert_int_equal(at[1].addr.port, 8282);
    assert_int_equal(at[2].addr.port, 4002);
    assert_false(at[2].is_shared);
    assert_true(addr_is_loopback(&at[2].addr));
    assert_ptr_equal(gateway_conf_codec(at[0].url), &ws_codec);
    assert_ptr_equal(gateway_conf_codec(at[1].url), &text_codec);
    unload(&b);
}

/* As in the original: a public lan_ip is not bound itself, inner_listen wins. */
static void inner_addresses(void **state)
{
    struct bench b;
    struct role_listen at[ROLE_LISTENERS_MAX];
    char text[ADDR_TEXT_MAX];
    load(&b, "[gateway]\nlisten = tcp://0.0.0.0:1\nlan_ip = 192.0.2.7\nsecret_key = k\n");
    assert_int_equal(gateway_conf_plan(b.conf, b.section, 0, at, &b.errors), 2);
    addr_text(&at[1].addr, text);
    assert_string_equal(text, "0.0.0.0:2300");
    struct addr lan;
    assert_int_equal(gateway_conf_lan(b.section->conf, 1, &lan), 0);
    addr_text(&lan, text);
    assert_string_equal(text, "192.0.2.7:2301");
    unload(&b);

    load(&b, "[gateway]\nlisten = tcp://0.0.0.0:1\nlan_ip = 10.0.0.7\nsecret_key = k\n"
             "inner_listen = 127.0.0.2\n");
    assert_int_equal(gateway_conf_plan(b.conf, b.section, 0, at, &b.errors), 2);
    addr_text(&at[1].addr, text);
    assert_string_equal(text, "127.0.0.2:2300");
    unload(&b);
}

static void open_inner_ports_need_a_key(void **state)
{
    check_ok("[gateway]\nlisten = tcp://0.0.0.0:1\n");
    check_ok("[gateway]\nlisten = tcp://0.0.0.0:1\nlan_ip = 10.0.0.7\nsecret_key = k\n");
    check_ok("[gateway]\nlisten = tcp://0.0.0.0:1\nlan_ip = 10.0.0.7\ninsecure = true\n");
    check_ok("[gateway]\nlisten = tcp://0.0.0.0:1\nlan_ip = 10.0.0.7\ninner_listen = 127.0.0.1\n");
    check_refused("[gateway]\nlisten = tcp://0.0.0.0:1\nlan_ip = 10.0.0.7\n", "t.conf:3",
                  "secret_key");
    check_refused("[gateway]\nlisten = tcp://0.0.0.0:1\ninner_listen = 0.0.0.0\n", "t.conf:3",
                  "insecure = true");
}

static void bad_values_are_named(void **state)
{
    check_refused("[gateway]\nlisten = http://0.0.0.0:1\n", "t.conf:2", "websocket://");
    check_refused("[gateway]\nlisten = 7272\n", "t.conf:2", "websocket://");
    check_refused("[gateway]\nlisten = tcp://0.0.0.0:1\ncount = 3\nstart_port = 65534\n",
                  "t.conf:4", "65535");
    check_refused("[gateway]\nlisten = tcp://0.0.0.0:1\ninner_listen = nonsense\n", "t.conf:3",
                  "nonsense");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(packets_have_room_for_the_largest_message),
        cmocka_unit_test(each_process_has_its_inner_port),
        cmocka_unit_test(inner_addresses),
        cmocka_unit_test(open_inner_ports_need_a_key),
        cmocka_unit_test(bad_values_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

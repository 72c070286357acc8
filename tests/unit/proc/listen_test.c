/* Listening addresses: what is taken, what is refused and with which words, what is bound. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <gw/err.h>

#include "base/conf.h"
#include "proc/listen.h"
#include "support/tmpdir.h"

struct door {
    const char *listen;
};

static const struct conf_key door_keys[] = {
    {.name = "listen", .type = CONF_STR, .offset = offsetof(struct door, listen)}};
static const struct conf_table door_table = {.kind = "door",
                                             .meaning = "A test.",
                                             .keys = door_keys,
                                             .keys_n = 1,
                                             .conf_bytes = sizeof(struct door)};
static const char *const schemes[] = {"websocket", "text", NULL};

static int parse(const char *url, struct role_listen *out, char *complaint, size_t bytes)
{
    static const struct conf_table *const tables[] = {&door_table};
    struct tmpdir d = tmpdir_make();
    struct buf errors = {0};
    struct conf *conf;
    const char *path = tmpdir_write(&d, "d.conf", "[door front]\nlisten = x\n");
    assert_int_equal(conf_load(path, tables, 1, &errors, &conf), 0);
    int rc =
        role_listen_parse(conf, conf_section_at(conf, 0), "listen", url, schemes, out, &errors);
    const char *text = buf_cstr(&errors);
    const char *name = strstr(text, "d.conf"); /* without the folder, which differs */
    snprintf(complaint, bytes, "%s", name ? name : text);
    buf_fini(&errors);
    conf_free(conf);
    tmpdir_remove(&d);
    return rc;
}

static void test_good_addresses(void **state)
{
    struct role_listen l;
    char complaint[512], text[ADDR_TEXT_MAX];
    assert_int_equal(parse("text://127.0.0.1:8282", &l, complaint, sizeof complaint), 1);
    addr_text(&l.addr, text);
    assert_string_equal(text, "127.0.0.1:8282");
    assert_string_equal(l.url, "text://127.0.0.1:8282");
    assert_null(l.unix_path);
    assert_int_equal(parse("WebSocket://[::1]:7272", &l, complaint, sizeof complaint), 0);
    addr_text(&l.addr, text);
    assert_string_equal(text, "[::1]:7272");
    assert_int_equal(parse("text:///run/lamp.sock", &l, complaint, sizeof complaint), 1);
    assert_string_equal(l.unix_path, "/run/lamp.sock");
}

static void test_bad_addresses(void **state)
{
    struct role_listen l;
    char complaint[512];
    assert_int_equal(parse("ftp://1.2.3.4:5", &l, complaint, sizeof complaint), GW_ECONF);
    assert_string_equal(complaint,
                        "d.conf:2: [door front] listen: \"ftp://1.2.3.4:5\": write one of "
                        "websocket:// text:// in front of the address\n");
    assert_int_equal(parse("127.0.0.1:8282", &l, complaint, sizeof complaint), GW_ECONF);
    assert_non_null(strstr(complaint, "write one of"));
    assert_int_equal(parse("text://localhost:1", &l, complaint, sizeof complaint), GW_ECONF);
    assert_non_null(strstr(complaint, "not an address; write scheme://IP:PORT"));
    assert_int_equal(parse("text://1.2.3.4:99999", &l, complaint, sizeof complaint), GW_ECONF);
    assert_int_equal(parse("text://", &l, complaint, sizeof complaint), GW_ECONF);
    assert_int_equal(parse(NULL, &l, complaint, sizeof complaint), GW_ECONF);
}

static void test_port_in_use_is_seen_although_shared(void **state)
{
    struct role_listen first = {.is_shared = true};
    assert_int_equal(addr_parse("127.0.0.1:0", &first.addr), 0);
    int fd = listen_bind(&first, true);
    assert_true(fd >= 0);
    assert_int_not_equal(first.addr.port, 0);
    struct role_listen twin = first;
    assert_int_equal(listen_bind(&twin, true), -EADDRINUSE);
    int brother = listen_bind(&twin, false);
    assert_true(brother >= 0);
    close(fd);
    close(brother);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_addresses),
        cmocka_unit_test(test_bad_addresses),
        cmocka_unit_test(test_port_in_use_is_seen_although_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

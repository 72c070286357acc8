/* The tables of status and connections. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <jansson.h>

#include "proc/status.h"

static const struct exits crashed = {.at = {{.wait_status = 9, .count = 3}}, .len = 1};
static const struct exits fine;
static const struct status_group groups[] = {
    {.name = "chat", .kind = "gateway", .exits = &crashed},
    {.name = "Register \"x\"", .kind = "registry", .exits = &fine}};
static struct status_row rows[] = {
    {.pid = 11,
     .name = "chat",
     .kind = "gateway",
     .generation = 2,
     .memory_bytes = 3 * 1024 * 1024 + 512 * 1024,
     .qps = 40,
     .is_ready = true,
     .counts = {.listening = "websocket://0.0.0.0:7272",
                .connections_n = 5,
                .send_fail_n = 6,
                .timers_n = 7,
                .requests_n = 8}},
    {.pid = 12,
     .name = "Register \"x\"",
     .kind = "registry",
     .listening = "text://127.0.0.1:1236",
     .is_busy = true},
};

static struct status_view view(void)
{
    return (struct status_view){.version = "1.2.3",
                                .master_pid = 10,
                                .is_detached = true,
                                .start_wall_s = 1000000,
                                .now_wall_s = 1000000 + 2 * 86400 + 3 * 3600 + 5,
                                .load = {0.5, 1.25, 2},
                                .groups = groups,
                                .groups_n = 2,
                                .rows = rows,
                                .rows_n = 2};
}

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void test_text(void **state)
{
    struct buf out = {0};
    struct status_view v = view();
    setenv("TZ", "UTC", 1);
    tzset();
    status_text(&out, &v);
    const char *text = buf_cstr(&out);
    assert_has(text, "-GLOBAL STATUS-");
    assert_has(text, "Gatehouse/1.2.3\n");
    assert_has(text, "start time:1970-01-12 13:46:40   run 2 days 3 hours   "
                     "load average: 0.50, 1.25, 2.00\n");
    assert_has(text, "2 sections    2 processes\n");
    assert_has(text, "name             exit_status     exit_count\n");
    assert_has(text, "chat             9               3               \n");
    assert_has(text, "Register \"x\"     0               0               \n");
    assert_has(text, "pid\tmemory  listening                name         connections send_fail "
                     "timers  total_request qps    status\n");
    assert_has(text, "11\t3.50M   websocket://0.0.0.0:7272 chat         5           6         7    "
                     "   8             40     [idle]\n");
    assert_has(text, "12\tN/A     text://127.0.0.1:1236    Register \"x\" N/A         N/A       "
                     "N/A     N/A           N/A    [busy]\n");
    assert_has(text, "Summary\t3.50M   ");
    rows[1].doing = "on_message of connection 7";
    buf_clear(&out);
    status_text(&out, &v);
    assert_has(buf_cstr(&out), "N/A    [busy] on_message of connection 7\n");
    rows[1].doing = NULL;
    buf_fini(&out);
}

static void test_json(void **state)
{
    struct buf out = {0};
    struct status_view v = view();
    json_error_t error;
    status_json(&out, &v);
    json_t *root = json_loads(buf_cstr(&out), 0, &error);
    if (!root)
        fail_msg("%s in: %s", error.text, buf_cstr(&out));
    json_t *first = json_array_get(json_object_get(root, "processes"), 0);
    json_t *second = json_array_get(json_object_get(root, "processes"), 1);
    json_t *section = json_array_get(json_object_get(root, "sections"), 1);
    assert_int_equal(json_integer_value(json_object_get(first, "qps")), 40);
    assert_int_equal(json_integer_value(json_object_get(first, "generation")), 2);
    assert_string_equal(json_string_value(json_object_get(first, "kind")), "gateway");
    assert_string_equal(json_string_value(json_object_get(first, "status")), "idle");
    assert_true(json_is_true(json_object_get(first, "ready")));
    assert_string_equal(json_string_value(json_object_get(second, "status")), "busy");
    assert_null(json_object_get(second, "connections"));
    assert_string_equal(json_string_value(json_object_get(section, "name")), "Register \"x\"");
    json_decref(root);
    buf_fini(&out);
}

static void test_connection_row(void **state)
{
    static const struct role_connection c = {.id = 9,
                                             .transport = "tcp",
                                             .protocol = "websocket",
                                             .is_ipv6 = true,
                                             .state = "ESTABLISHED",
                                             .read_bytes = 1023,
                                             .written_bytes = 5 * 1024 * 1024,
                                             .local = "[::1]:7272",
                                             .remote = "[::1]:50000"};
    struct buf out = {0};
    status_connection_row(&out, 11, "chat", &c);
    assert_string_equal(
        buf_cstr(&out),
        "11       chat             9         tcp    websocket  0     1     0        "
        "0        1023       5.00M      ESTABLISHED  [::1]:7272             "
        "[::1]:50000\n");
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_connection_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

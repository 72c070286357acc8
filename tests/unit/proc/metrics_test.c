/* metrics: the text format, what is escaped, and that no sample comes twice. */
#include "proc/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* wait(2): an exit status is in the second byte; 128 says that a core was dumped. */
static const struct exits ends = {.at = {{.wait_status = 0, .count = 5},
                                         {.wait_status = 1 << 8, .count = 1},
                                         {.wait_status = 70 << 8, .count = 2},
                                         {.wait_status = 11, .count = 3},
                                         {.wait_status = 11 | 128, .count = 4}},
                                  .len = 5};
static const struct exits none;

static struct status_row row(const char *kind, const char *name, int slot)
{
    return (struct status_row){
        .pid = 7, .kind = kind, .name = name, .slot = slot, .generation = 1, .is_ready = true};
}

static char *text_of(const struct status_row *rows, size_t rows_n,
                     const struct status_group *groups, size_t groups_n)
{
    struct buf out = {0};
    const struct status_view v = {.version = "1.2.3",
                                  .start_wall_s = 1000000,
                                  .groups = groups,
                                  .groups_n = groups_n,
                                  .rows = rows,
                                  .rows_n = rows_n};
    metrics_text(&out, &v);
    char *text = strdup(buf_cstr(&out));
    buf_fini(&out);
    return text;
}

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void assert_has_not(const char *text, const char *part)
{
    if (strstr(text, part))
        fail_msg("\"%s\" is in:\n%s", part, text);
}

static void one_process(void **state)
{
    struct status_row r = row("gateway", "chat", 3);
    r.generation = 4;
    r.memory_bytes = 4096;
    r.counts = (struct role_status){
        .connections_n = 5, .delivered_n = 18446744073709551615ULL, .drop_old_n = 6, .uids_n = 7};
    char *text = text_of(&r, 1, NULL, 0);
    assert_int_equal(strncmp(text,
                             "# HELP gatehouse_info The version of the server; always 1.\n"
                             "# TYPE gatehouse_info gauge\n"
                             "gatehouse_info{version=\"1.2.3\"} 1\n",
                             30),
                     0);
    assert_has(text, "# TYPE gatehouse_start_time_seconds gauge\n"
                     "gatehouse_start_time_seconds 1000000\n");
    assert_has(text, "# TYPE gatehouse_connections gauge\n"
                     "gatehouse_connections{kind=\"gateway\",name=\"chat\",slot=\"3\"} 5\n");
    assert_has(text, "# TYPE gatehouse_delivered_total counter\n"
                     "gatehouse_delivered_total{kind=\"gateway\",name=\"chat\",slot=\"3\"} "
                     "18446744073709551615\n");
    assert_has(text, "gatehouse_dropped_old_total{kind=\"gateway\",name=\"chat\",slot=\"3\"} 6\n");
    assert_has(text, "gatehouse_uids{kind=\"gateway\",name=\"chat\",slot=\"3\"} 7\n");
    assert_has(text,
               "gatehouse_process_starts_total{kind=\"gateway\",name=\"chat\",slot=\"3\"} 4\n");
    assert_has(text,
               "gatehouse_process_memory_bytes{kind=\"gateway\",name=\"chat\",slot=\"3\"} 4096\n");
    assert_has(text, "gatehouse_process_busy{kind=\"gateway\",name=\"chat\",slot=\"3\"} 0\n");
    assert_has(text, "gatehouse_process_ready{kind=\"gateway\",name=\"chat\",slot=\"3\"} 1\n");
    free(text);
}

static void labels_are_escaped(void **state)
{
    struct status_row r = row("web", "a\"b\\c\nd {é}", 0);
    char *text = text_of(&r, 1, NULL, 0);
    assert_has(text,
               "gatehouse_connections{kind=\"web\",name=\"a\\\"b\\\\c\\nd {é}\",slot=\"0\"} 0\n");
    free(text);
}

/* Each metric is one group of HELP, TYPE and samples; counters and nothing else end with _total. */
static void every_metric_is_declared_once(void **state)
{
    const struct status_row rows[] = {row("gateway", "a", 0), row("gateway", "a", 1)};
    const struct status_group group = {.name = "a", .kind = "gateway", .exits = &none};
    char *text = text_of(rows, 2, &group, 1);
    char name[128] = "";
    size_t name_len = 0, metrics_n = 0;
    for (char *rest = text, *line; (line = strsep(&rest, "\n")) && *line;) {
        if (strncmp(line, "# HELP ", 7) == 0) {
            name_len = strcspn(line + 7, " ");
            assert_true(name_len < sizeof name);
            memcpy(name, line + 7, name_len);
            name[name_len] = '\0';
            assert_true(strlen(line) > 7 + name_len + 1);
            metrics_n++;
            line = strsep(&rest, "\n");
            assert_int_equal(strncmp(line, "# TYPE ", 7), 0);
            assert_int_equal(strncmp(line + 7, name, name_len), 0);
            bool is_total = strcmp(name + name_len - 6, "_total") == 0;
            assert_string_equal(line + 7 + name_len, is_total ? " counter" : " gauge");
        } else {
            assert_int_equal(strncmp(line, name, name_len), 0);
            assert_true(line[name_len] == '{' || line[name_len] == ' ');
        }
    }
    assert_true(metrics_n > 30);
    free(text);
}

static void a_busy_process_tells_nothing_else(void **state)
{
    struct status_row rows[] = {row("worker", "w", 0), row("worker", "w", 1)};
    rows[1].is_busy = true;
    rows[1].counts.requests_n = 99;
    char *text = text_of(rows, 2, NULL, 0);
    assert_has(text, "gatehouse_process_busy{kind=\"worker\",name=\"w\",slot=\"1\"} 1\n");
    assert_has(text, "gatehouse_requests_total{kind=\"worker\",name=\"w\",slot=\"0\"} 0\n");
    assert_has_not(text, "gatehouse_requests_total{kind=\"worker\",name=\"w\",slot=\"1\"}");
    free(text);
}

/* The process that leaves, and its successor that serves, or does not yet. */
static void one_process_per_slot(void **state)
{
    struct status_row rows[] = {row("worker", "w", 0), row("worker", "w", 0),
                                row("gateway", "w", 0)};
    rows[0].counts.requests_n = 10;
    rows[1].counts.requests_n = 20;
    char *text = text_of(rows, 3, NULL, 0);
    assert_has(text, "\ngatehouse_requests_total{kind=\"worker\",name=\"w\",slot=\"0\"} 20\n");
    assert_has_not(text, "slot=\"0\"} 10\n");
    assert_has(text, "\ngatehouse_requests_total{kind=\"gateway\",name=\"w\",slot=\"0\"} 0\n");
    free(text);
    rows[1].is_ready = false;
    text = text_of(rows, 3, NULL, 0);
    assert_has(text, "\ngatehouse_requests_total{kind=\"worker\",name=\"w\",slot=\"0\"} 10\n");
    assert_has_not(text, "slot=\"0\"} 20\n");
    free(text);
}

static void ends_of_processes(void **state)
{
    const struct status_group groups[] = {{.name = "chat", .kind = "worker", .exits = &ends},
                                          {.name = "chat", .kind = "gateway", .exits = &none},
                                          {.name = "chat", .kind = "worker", .exits = &none}};
    char *text = text_of(NULL, 0, groups, 3);
    assert_has(text,
               "# TYPE gatehouse_process_exits_total counter\n"
               "gatehouse_process_exits_total{kind=\"worker\",name=\"chat\",how=\"ended\"} 5\n"
               "gatehouse_process_exits_total{kind=\"worker\",name=\"chat\",how=\"failed\"} 3\n"
               "gatehouse_process_exits_total{kind=\"worker\",name=\"chat\",how=\"killed\"} 7\n"
               "gatehouse_process_exits_total{kind=\"gateway\",name=\"chat\",how=\"ended\"} 0\n"
               "gatehouse_process_exits_total{kind=\"gateway\",name=\"chat\",how=\"failed\"} 0\n"
               "gatehouse_process_exits_total{kind=\"gateway\",name=\"chat\",how=\"killed\"} 0\n#");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_process),
        cmocka_unit_test(labels_are_escaped),
        cmocka_unit_test(every_metric_is_declared_once),
        cmocka_unit_test(a_busy_process_tells_nothing_else),
        cmocka_unit_test(one_process_per_slot),
        cmocka_unit_test(ends_of_processes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

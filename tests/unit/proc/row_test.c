/* Lines between a process and its master: there and back, in pieces, and broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <gw/err.h>

#include "proc/row.h"

static void test_status_there_and_back(void **state)
{
    struct role_status in = {.listening = "text://127.0.0.1:8282",
                             .connections_n = 1,
                             .send_fail_n = 2,
                             .timers_n = 3,
                             .requests_n = UINT64_MAX,
                             .uids_n = 5,
                             .groups_n = 6,
                             .queued_bytes = 7,
                             .dropped_n = 8,
                             .lost_n = 9,
                             .drop_old_n = 10,
                             .written_bytes = 11,
                             .links_n = 12,
                             .sends_n = 13,
                             .unheard_n = 14,
                             .interest_bytes = 15,
                             .beyond_n = 16,
                             .nats_in_n = 17,
                             .nats_out_n = 18,
                             .nats_lost_n = 19};
    struct role_status out;
    struct buf line = {0};
    row_put_status(&line, &in);
    assert_true(row_get_status(buf_span(&line), &out));
    assert_string_equal(out.listening, in.listening);
    assert_int_equal(out.connections_n, 1);
    assert_int_equal(out.send_fail_n, 2);
    assert_int_equal(out.timers_n, 3);
    assert_true(out.requests_n == UINT64_MAX);
    assert_int_equal(out.uids_n, 5);
    assert_int_equal(out.groups_n, 6);
    assert_int_equal(out.queued_bytes, 7);
    assert_int_equal(out.dropped_n, 8);
    assert_int_equal(out.lost_n, 9);
    assert_int_equal(out.drop_old_n, 10);
    assert_int_equal(out.written_bytes, 11);
    assert_int_equal(out.links_n, 12);
    assert_int_equal(out.sends_n, 13);
    assert_int_equal(out.unheard_n, 14);
    assert_int_equal(out.interest_bytes, 15);
    assert_int_equal(out.beyond_n, 16);
    assert_int_equal(out.nats_in_n, 17);
    assert_int_equal(out.nats_out_n, 18);
    assert_int_equal(out.nats_lost_n, 19);
    buf_fini(&line);
}

static void test_connection_there_and_back(void **state)
{
    struct role_connection in = {.id = 77,
                                 .transport = "tls",
                                 .protocol = "web\nsocket",
                                 .is_ipv6 = true,
                                 .state = "ESTABLISHED",
                                 .read_bytes = 1,
                                 .written_bytes = 2,
                                 .unread_bytes = 3,
                                 .unsent_bytes = 4,
                                 .local = "127.0.0.1:80",
                                 .remote = "[::1]:9\t9"};
    struct row_connection out;
    struct buf line = {0};
    row_put_connection(&line, &in);
    assert_true(row_get_connection(buf_span(&line), &out));
    assert_int_equal(out.row.id, 77);
    assert_string_equal(out.row.transport, "tls");
    assert_string_equal(out.row.protocol, "web?socket");
    assert_true(out.row.is_ipv6);
    assert_string_equal(out.row.state, "ESTABLISHED");
    assert_int_equal(out.row.read_bytes, 1);
    assert_int_equal(out.row.written_bytes, 2);
    assert_int_equal(out.row.unread_bytes, 3);
    assert_int_equal(out.row.unsent_bytes, 4);
    assert_string_equal(out.row.local, "127.0.0.1:80");
    assert_string_equal(out.row.remote, "[::1]:9?9");
    buf_fini(&line);
}

static void test_broken_rows_are_refused(void **state)
{
    static const char *const rows[] = {"",
                                       "x",
                                       "x\t1\t2\t3\t4\t5\t6\t7\t8\t9",
                                       "x\t1\t2\t3\t4\t5\t6\t7\t8\t9\tz",
                                       "x\t1\t2\t3\t4\t5\t6\t7\t8\t9\t10\t11",
                                       "x\t-1\t2\t3\t4\t5\t6\t7\t8\t9\t10"};
    struct role_status status;
    struct row_connection connection;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (row_get_status(span_str(rows[i]), &status))
            fail_msg("taken as a status: \"%s\"", rows[i]);
        if (row_get_connection(span_str(rows[i]), &connection))
            fail_msg("taken as a connection: \"%s\"", rows[i]);
    }
}

static bool note_line(void *ctx, struct span line)
{
    struct buf *lines = ctx;
    buf_putc(lines, '<');
    buf_put_span(lines, line);
    buf_putc(lines, '>');
    return !span_is(line, "halt");
}

static void test_lines_in_pieces(void **state)
{
    struct buf in = {0}, lines = {0};
    const char *text = "one\n\nthree\nfo";
    for (size_t i = 0; text[i]; i++) {
        buf_putc(&in, (uint8_t)text[i]);
        ssize_t used = row_lines(in.at, in.len, note_line, &lines);
        assert_true(used >= 0);
        buf_consume(&in, (size_t)used);
    }
    assert_string_equal(buf_cstr(&lines), "<one><><three>");
    assert_string_equal(buf_cstr(&in), "fo");
    buf_fini(&in);
    buf_fini(&lines);
}

static void test_lines_whole_and_halted(void **state)
{
    struct buf lines = {0};
    const char *text = "a\nhalt\nb\n";
    assert_int_equal(row_lines((const uint8_t *)text, strlen(text), note_line, &lines), 7);
    assert_string_equal(buf_cstr(&lines), "<a><halt>");
    buf_fini(&lines);
}

static void test_a_line_has_a_limit(void **state)
{
    static uint8_t bytes[ROW_LINE_MAX + 2];
    struct buf lines = {0};
    memset(bytes, 'x', sizeof bytes);
    assert_int_equal(row_lines(bytes, ROW_LINE_MAX, note_line, &lines), 0);
    assert_int_equal(row_lines(bytes, ROW_LINE_MAX + 1, note_line, &lines), GW_ETOOBIG);
    bytes[ROW_LINE_MAX + 1] = '\n';
    assert_int_equal(row_lines(bytes, ROW_LINE_MAX + 2, note_line, &lines), GW_ETOOBIG);
    bytes[ROW_LINE_MAX] = '\n';
    assert_int_equal(row_lines(bytes, ROW_LINE_MAX + 1, note_line, &lines), ROW_LINE_MAX + 1);
    buf_fini(&lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status_there_and_back),
        cmocka_unit_test(test_connection_there_and_back),
        cmocka_unit_test(test_broken_rows_are_refused),
        cmocka_unit_test(test_lines_in_pieces),
        cmocka_unit_test(test_lines_whole_and_halted),
        cmocka_unit_test(test_a_line_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

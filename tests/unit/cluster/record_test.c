/* Records in a row: what was put comes out, whatever bytes are in it. */
#include "cluster/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    enum record_kind kind;
    const char *subject, *reply, *data;
    size_t data_len;
} rows[] = {
    {RECORD_UP, "", "", "", 0},
    {RECORD_PUBLISH, "gatehouse.all", "", "abc", 3},
    {RECORD_MESSAGE, "s", "_INBOX.1", "\0\0\0", 3},
    {RECORD_SUBSCRIBE, "gatehouse.group.x", "", "", 0},
    {RECORD_MESSAGE, "", "r", "\nx\0y", 4},
};
enum { ROWS_N = sizeof rows / sizeof rows[0] };

static void check_first(struct span *rest, size_t i)
{
    struct record r;
    const char *subject, *reply;
    struct span data;
    size_t n = record_get(*rest, &r, &subject, &reply, &data);
    assert_int_equal(r.kind, rows[i].kind);
    assert_string_equal(subject, rows[i].subject);
    assert_string_equal(reply, rows[i].reply);
    assert_int_equal(data.len, rows[i].data_len);
    assert_memory_equal(data.at, rows[i].data, data.len);
    assert_int_equal(n, record_bytes(strlen(subject), strlen(reply), data.len));
    *rest = span_skip(*rest, n);
}

/* Lengths are odd, so that most records begin where no struct may. */
static void they_come_in_order_from_any_place(void **state)
{
    struct buf all = {0};
    for (size_t n = 0; n < 10 * (size_t)ROWS_N; n++) {
        size_t i = n * 3 % ROWS_N;
        record_put(&all, rows[i].kind, rows[i].subject, rows[i].reply,
                   span_of(rows[i].data, rows[i].data_len));
    }
    struct span rest = buf_span(&all);
    for (size_t n = 0; n < 10 * (size_t)ROWS_N; n++)
        check_first(&rest, n * 3 % ROWS_N);
    assert_int_equal(rest.len, 0);
    buf_fini(&all);
}

/* Their lengths are 16 bits. */
static void the_longest_subject_and_reply(void **state)
{
    char *text = malloc(UINT16_MAX + 1);
    struct buf all = {0};
    struct record r;
    const char *subject, *reply;
    struct span data;
    memset(text, 's', UINT16_MAX);
    text[UINT16_MAX] = '\0';
    record_put(&all, RECORD_PUBLISH, text, text, span_str("end"));
    assert_int_equal(record_get(buf_span(&all), &r, &subject, &reply, &data), all.len);
    assert_string_equal(subject, text);
    assert_string_equal(reply, text);
    assert_true(span_is(data, "end"));
    buf_fini(&all);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_come_in_order_from_any_place),
        cmocka_unit_test(the_longest_subject_and_reply),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

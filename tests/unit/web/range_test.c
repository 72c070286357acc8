/* range: the examples of RFC 9110 §14.1.2 and the ways to get them wrong. */
#include "web/range.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct row {
    const char *value;
    uint64_t size;
    enum range_verdict verdict;
    uint64_t first, len;
};

static void check(const struct row *row)
{
    struct range out = {0};
    enum range_verdict verdict = range_judge(span_str(row->value), row->size, &out);
    if (verdict != row->verdict)
        print_error("%s of %llu\n", row->value, (unsigned long long)row->size);
    assert_int_equal(verdict, row->verdict);
    if (verdict != RANGE_PART)
        return;
    if (out.first != row->first || out.len != row->len)
        print_error("%s of %llu\n", row->value, (unsigned long long)row->size);
    assert_int_equal(out.first, row->first);
    assert_int_equal(out.len, row->len);
}

static void parts(void **state)
{
    static const struct row rows[] = {
        {"bytes=0-499", 10000, RANGE_PART, 0, 500},
        {"bytes=500-999", 10000, RANGE_PART, 500, 500},
        {"bytes=-500", 10000, RANGE_PART, 9500, 500},
        {"bytes=9500-", 10000, RANGE_PART, 9500, 500},
        {"bytes=0-0", 10000, RANGE_PART, 0, 1},
        {"bytes=-1", 10000, RANGE_PART, 9999, 1},
        {"BYTES=0-0", 10000, RANGE_PART, 0, 1},
        {"bytes=9999-20000", 10000, RANGE_PART, 9999, 1},
        {"bytes=-20000", 10000, RANGE_PART, 0, 10000},
        {"bytes=0-18446744073709551615", 5, RANGE_PART, 0, 5},
        {"bytes=0-", 1, RANGE_PART, 0, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check(&rows[i]);
}

static void unsatisfiable(void **state)
{
    static const struct row rows[] = {
        {"bytes=10000-", 10000, RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=10000-10001", 10000, RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=-0", 10000, RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=0-", 0, RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=-5", 0, RANGE_UNSATISFIABLE, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check(&rows[i]);
}

/* §14.2: what is not understood is ignored, and so are several ranges at once. */
static void ignored(void **state)
{
    static const char *const values[] = {
        "",           "bytes",         "bytes=",      "bytes=-",     "bytes=5-4",
        "items=0-5",  "bytes=a-b",     "bytes=0x1-2", "bytes=+1-2",  "bytes=1--2",
        "bytes=0 -5", "bytes=0-1,3-4", "bytes=0-1,",  "bytes 0-499", "bytes=18446744073709551616-",
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        check(&(struct row){values[i], 10000, RANGE_WHOLE, 0, 0});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts),
        cmocka_unit_test(unsatisfiable),
        cmocka_unit_test(ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Config values: every type, its range, and the words of a refusal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/conf_value.h"

static struct buf why;

static bool read_as(const struct conf_key *key, const char *text, void *field)
{
    buf_clear(&why);
    return conf_value_read(key, text, field, &why);
}

static void check_u64(enum conf_type type, const char *text, uint64_t want)
{
    struct conf_key key = {.name = "k", .type = type};
    uint64_t got = 0;
    if (!read_as(&key, text, &got))
        fail_msg("%s: %s", text, buf_cstr(&why));
    assert_int_equal(got, want);
}

static void check_refused(enum conf_type type, const char *text)
{
    struct conf_key key = {.name = "k", .type = type, .choices = "a|b"};
    uint64_t got = 77;
    if (read_as(&key, text, &got))
        fail_msg("accepted: \"%s\"", text);
    assert_int_equal(got, 77);
    assert_int_not_equal(why.len, 0);
}

static void numbers(void **state)
{
    check_u64(CONF_INT, "42", 42);
    check_u64(CONF_INT, "-9223372036854775807", (uint64_t)-INT64_MAX);
    check_refused(CONF_INT, "");
    check_refused(CONF_INT, "-");
    check_refused(CONF_INT, "--1");
    check_refused(CONF_INT, "4x");
    check_refused(CONF_INT, "0x10");
    check_refused(CONF_INT, "9223372036854775808");
    check_u64(CONF_MS, "500", 500);
    check_refused(CONF_MS, "0.5");
    check_refused(CONF_MS, "-1");
}

static void sizes(void **state)
{
    check_u64(CONF_SIZE, "0", 0);
    check_u64(CONF_SIZE, "100", 100);
    check_u64(CONF_SIZE, "2k", 2048);
    check_u64(CONF_SIZE, "3M", 3 * 1024 * 1024);
    check_u64(CONF_SIZE, "1g", 1 << 30);
    check_refused(CONF_SIZE, "k");
    check_refused(CONF_SIZE, "");
    check_refused(CONF_SIZE, "1kb");
    check_refused(CONF_SIZE, "1 k");
    check_refused(CONF_SIZE, "-1");
    check_refused(CONF_SIZE, "8589934592g");
}

static void seconds(void **state)
{
    check_u64(CONF_SECONDS, "25", 25000);
    check_u64(CONF_SECONDS, "0.4", 400);
    check_u64(CONF_SECONDS, "1.05", 1050);
    check_u64(CONF_SECONDS, "0.001", 1);
    check_refused(CONF_SECONDS, "0.0001");
    check_refused(CONF_SECONDS, ".");
    check_refused(CONF_SECONDS, "1.");
    check_refused(CONF_SECONDS, ".5");
    check_refused(CONF_SECONDS, "1.2.3");
    check_refused(CONF_SECONDS, "-1");
    check_refused(CONF_SECONDS, "1s");
    check_refused(CONF_SECONDS, "18446744073709551615");
}

static void truth(void **state)
{
    static const char *const words[] = {"false", "true", "No", "YES", "off", "on", "0", "1"};
    struct conf_key key = {.name = "k", .type = CONF_BOOL};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        bool got = i % 2 == 0;
        assert_true(read_as(&key, words[i], &got));
        assert_int_equal(got, i % 2);
    }
    check_refused(CONF_BOOL, "2");
    check_refused(CONF_BOOL, "");
    assert_string_equal(buf_cstr(&why), "\"\" must be true or false");
}

static void choices(void **state)
{
    struct conf_key key = {.name = "k", .type = CONF_ENUM, .choices = "close|drop_new|drop_old"};
    int got = -1;
    assert_true(read_as(&key, "drop_old", &got));
    assert_int_equal(got, 2);
    assert_true(read_as(&key, "close", &got));
    assert_int_equal(got, 0);
    assert_false(read_as(&key, "drop", &got));
    assert_string_equal(buf_cstr(&why), "\"drop\" must be close, drop_new or drop_old");
    assert_false(read_as(&key, "close|drop_new", &got));
    assert_false(read_as(&key, "", &got));
}

static void check_range(struct conf_key key, const char *good, const char *bad, const char *says)
{
    uint64_t got;
    assert_true(read_as(&key, good, &got));
    assert_false(read_as(&key, bad, &got));
    assert_string_equal(buf_cstr(&why), says);
}

static void ranges(void **state)
{
    check_range((struct conf_key){.type = CONF_INT, .min = 1, .max = 64}, "64", "65",
                "\"65\" must be a whole number from 1 to 64");
    check_range((struct conf_key){.type = CONF_SIZE, .min = 1024, .max = 64 << 20}, "1k", "1023",
                "\"1023\" must be a size in bytes (k, m, g for 1024 each) from 1k to 64m");
    check_range((struct conf_key){.type = CONF_SECONDS, .min = 100, .max = 60000}, "0.1", "61",
                "\"61\" must be seconds (0.001 at the finest) from 0.1 to 60");
    check_range((struct conf_key){.type = CONF_MS, .min = 0, .max = 10}, "0", "11",
                "\"11\" must be whole milliseconds from 0 to 10");
}

static int end(void **state)
{
    buf_fini(&why);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers), cmocka_unit_test(sizes),   cmocka_unit_test(seconds),
        cmocka_unit_test(truth),   cmocka_unit_test(choices), cmocka_unit_test(ranges),
    };
    return cmocka_run_group_tests(tests, NULL, end);
}

/* php_put: values written without a document, and the rule that makes keys numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/phpser.h"
#include "support/vectors.h"

/* vectors/README.md, traps: which texts are integer keys. */
static void canonical_decimals_are_numbers(void **state)
{
    static const char *const texts[] = {"",
                                        "-",
                                        "-0",
                                        "007",
                                        "+1",
                                        "1.0",
                                        " 1",
                                        "1 ",
                                        "00",
                                        "0x1",
                                        "1a",
                                        "--1",
                                        "-01",
                                        "9223372036854775808",
                                        "-9223372036854775809",
                                        "99999999999999999999"};
    static const struct {
        const char *text;
        int64_t num;
    } numbers[] = {{"0", 0},
                   {"5", 5},
                   {"-1", -1},
                   {"9223372036854775807", INT64_MAX},
                   {"-9223372036854775808", INT64_MIN}};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (php_key_of(span_str(texts[i])).is_int)
            fail_msg("\"%s\" became a number", texts[i]);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        struct php_key key = php_key_of(span_str(numbers[i].text));
        assert_true(key.is_int);
        assert_int_equal(key.num, numbers[i].num);
    }
}

static void scalars(void **state)
{
    struct buf got = {0};

    php_put_null(&got);
    php_put_bool(&got, true);
    php_put_bool(&got, false);
    php_put_int(&got, 0);
    php_put_int(&got, -42);
    php_put_int(&got, INT64_MAX);
    php_put_int(&got, INT64_MIN);
    php_put_string(&got, span_of(NULL, 0));
    php_put_string(&got, span_str("a\"b"));
    assert_bytes("scalars", buf_span(&got),
                 span_str("N;b:1;b:0;i:0;i:-42;i:9223372036854775807;"
                          "i:-9223372036854775808;s:0:\"\";s:3:\"a\"b\";"));
    buf_fini(&got);
}

/* CMD_GET_GROUP_ID_LIST: groups are keys, so "123" comes as a number (vectors/README.md). */
static void arrays_and_keys(void **state)
{
    struct buf got = {0};

    php_put_array(&got, 2);
    php_put_key(&got, span_str("123"));
    php_put_string(&got, span_str("123"));
    php_put_key(&got, span_str("0123"));
    php_put_array(&got, 0);
    php_put_array_end(&got);
    php_put_array_end(&got);
    assert_bytes("array", buf_span(&got), span_str("a:2:{i:123;s:3:\"123\";s:4:\"0123\";a:0:{}}"));
    buf_fini(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(canonical_decimals_are_numbers),
        cmocka_unit_test(scalars),
        cmocka_unit_test(arrays_and_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

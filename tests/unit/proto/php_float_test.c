/* php_float: digits and layout as PHP 8.2 prints them; the vectors are in phpser_test. */
#include "proto/php_float.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/spawn.h"
#include "support/tmpdir.h"
#include "support/vectors.h"

static double float_of_bits(uint64_t bits)
{
    double v;

    memcpy(&v, &bits, sizeof v);
    return v;
}

/* Recorded from `php -r 'echo serialize(…)'`: powers of two with lopsided neighbours, subnormals,
 * the borders between the two layouts, digits that need 15, 16 and 17 places. */
static void digits(void **state)
{
    static const struct {
        uint64_t bits;
        const char *text;
    } rows[] = {
        {0x3d30000000000000, "5.684341886080802E-14"}, /* 2^-44: ...801 does not read back */
        {0x0000000000000001, "5.0E-324"},
        {0x0000000000000002, "1.0E-323"},
        {0x000fffffffffffff, "2.225073858507201E-308"},
        {0x0010000000000000, "2.2250738585072014E-308"},
        {0x4340000000000000, "9007199254740992"},
        {0x4340000000000001, "9007199254740994"},
        {0x3fd5555555555555, "0.3333333333333333"},
        {0x3fd3333333333334, "0.30000000000000004"},
        {0x4341c37937e08000, "10000000000000000"},
        {0x4376345785d8a000, "1.0E+17"},
        {0x3f1a36e2eb1c432d, "0.0001"},
        {0x3ee4f8b588e368f1, "1.0E-5"},
        {0xc0934a456d5cfaad, "-1234.5678"},
        {0x4059000000000000, "100"},
        {0x8000000000000000, "-0"},
    };
    struct buf got = {0};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        buf_clear(&got);
        php_put_float(&got, float_of_bits(rows[i].bits), 'E');
        assert_bytes("float", buf_span(&got), span_str(rows[i].text));
    }
    buf_fini(&got);
}

static void every_text_reads_back_equal(void **state)
{
    struct buf got = {0};
    uint64_t bits = 1;

    for (int i = 0; i < 20000; i++) {
        bits = bits * 6364136223846793005u + 1442695040888963407u;
        double v = float_of_bits(bits & 0xffefffffffffffff); /* never INF or NAN */
        buf_clear(&got);
        php_put_float(&got, v, 'e');
        double again = strtod(buf_cstr(&got), NULL);
        if (memcmp(&again, &v, sizeof v) != 0)
            fail_msg("%s is not %a", buf_cstr(&got), v);
        assert_true(got.len <= 24);
    }
    buf_fini(&got);
}

/* A module may call setlocale(); the wire must not notice. Skipped where no locale can be made. */
static void the_locale_does_not_matter(void **state)
{
    struct buf got = {0};
    double v = 0;
    struct tmpdir folder = tmpdir_make();
    char command[200];
    snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s",
             tmpdir_path(&folder, "de_DE.UTF-8"));
    char shell[] = "sh", option[] = "-c";
    bool is_made = spawn_wait((char *[]){shell, option, command, NULL}, 60000, NULL) == 0;

    if (is_made) {
        setenv("LOCPATH", folder.path, 1);
        assert_non_null(setlocale(LC_NUMERIC, "de_DE.UTF-8"));
        php_put_float(&got, 1234.5, 'E');
        assert_true(php_float_of(span_str("-1.25E2"), &v));
        setlocale(LC_NUMERIC, "C");
        unsetenv("LOCPATH");
        assert_bytes("1234.5", buf_span(&got), span_str("1234.5"));
        assert_true(v == -125);
    }
    buf_fini(&got);
    tmpdir_remove(&folder);
    if (!is_made)
        skip();
}

static void long_texts_are_refused(void **state)
{
    char text[PHP_FLOAT_TEXT_MAX + 1];
    double v = 0;

    memset(text, '0', sizeof text);
    text[1] = '.';
    text[PHP_FLOAT_TEXT_MAX - 1] = '1';
    assert_true(php_float_of(span_of(text, PHP_FLOAT_TEXT_MAX), &v));
    assert_true(v == 0);
    assert_false(php_float_of(span_of(text, PHP_FLOAT_TEXT_MAX + 1), &v));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits),
        cmocka_unit_test(every_text_reads_back_equal),
        cmocka_unit_test(the_locale_does_not_matter),
        cmocka_unit_test(long_texts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Aligned tables, and the same as JSON, of names that clients chose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "cmd/table.h"

static const char *const columns[] = {"name", "n", "session"};

static char *printed(const struct table *t)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    table_print(t, out);
    fclose(out);
    return text;
}

static void add_row(struct table *t, struct span name, uint64_t n, const char *json)
{
    table_put_text(t, name);
    table_put_count(t, n);
    table_put_json(t, json);
}

static void check(struct table *t, const char *table, const char *json)
{
    char *text = printed(t);
    assert_string_equal(text, table);
    free(text);
    struct gw_json *rows = table_json(t);
    text = gw_json_dump(rows, GW_JSON_PLAIN, NULL);
    assert_string_equal(text, json);
    gw_free(text);
    gw_json_free(rows);
    table_free(t);
}

static void test_no_rows(void **state)
{
    check(table_new(columns, ARRAY_LEN(columns)), "NAME  N  SESSION\n", "[]");
}

static void test_alignment(void **state)
{
    struct table *t = table_new(columns, ARRAY_LEN(columns));

    add_row(t, span_str("a"), 1, "{\"k\":1}");
    add_row(t, span_str("wide \u4f60"), 12345, NULL);
    check(t,
          "NAME         N  SESSION\n"
          "a            1  {\"k\":1}\n"
          "wide \u4f60  12345  \n",
          "[{\"name\":\"a\",\"n\":1,\"session\":{\"k\":1}},"
          "{\"name\":\"wide \u4f60\",\"n\":12345,\"session\":null}]");
}

/* U+009B is CSI to some terminals. */
static void test_nothing_that_moves_the_terminal(void **state)
{
    static const char name[] = "\x1b[2J\n\xff\0\xc2\x9b";
    struct table *t = table_new(columns, ARRAY_LEN(columns));

    add_row(t, span_of(name, sizeof name - 1), 0, NULL);
    check(
        t,
        "NAME                         N  SESSION\n"
        "\\x1b[2J\\x0a\\xff\\x00\\xc2\\x9b  0  \n",
        "[{\"name\":\"\\\\x1b[2J\\\\x0a\\\\xff\\\\x00\\\\xc2\\\\x9b\",\"n\":0,\"session\":null}]");
}

static void test_json_has_the_name_itself(void **state)
{
    static const char *const one[] = {"name"};
    struct table *t = table_new(one, 1);

    table_put_text(t, span_str("\x1b"));
    check(t, "NAME\n\\x1b\n", "[{\"name\":\"\\u001b\"}]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_rows),
        cmocka_unit_test(test_alignment),
        cmocka_unit_test(test_nothing_that_moves_the_terminal),
        cmocka_unit_test(test_json_has_the_name_itself),
    };
    assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}

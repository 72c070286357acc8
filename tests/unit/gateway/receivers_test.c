/* Receivers read from JSON: the plain forms without allocation, everything else as PHP reads it. */
#include "gateway/receivers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "support/allocs.h"

/* "a|b -1 -2": names, then ids; "+" before them when they are receivers. */
static const char *text_of(const struct receivers *t)
{
    static char text[512];
    int n = 0;
    text[0] = '\0';
    for (size_t i = 0; i < t->names_n; i++)
        n += snprintf(text + n, sizeof(text) - (size_t)n, "%s%.*s", i ? "|" : "",
                      (int)t->names[i].len, (const char *)t->names[i].at);
    for (size_t i = 0; i < t->ids_n; i++)
        n += snprintf(text + n, sizeof(text) - (size_t)n, " %c%u", t->has_connections ? '+' : '-',
                      t->ids[i]);
    return text;
}

struct row {
    const char *ext;
    const char *expected;
};

static void check(void (*read)(struct receivers *, struct span), const struct row *rows, size_t n)
{
    struct receivers t = {0};
    for (size_t i = 0; i < n; i++) {
        read(&t, span_str(rows[i].ext));
        if (strcmp(text_of(&t), rows[i].expected) != 0)
            fail_msg("%s gives \"%s\", not \"%s\"", rows[i].ext, text_of(&t), rows[i].expected);
    }
    receivers_fini(&t);
}

static void groups(void **state)
{
    static const struct row rows[] = {
        {"{\"group\":[\"a\"],\"exclude\":null}", "a"},
        {"{\"group\":[\"a\",\"b\"],\"exclude\":[]}", "a|b"},
        {"{\"group\":[\"a\"],\"exclude\":{\"5\":5,\"17\":17}}", "a -5 -17"},
        {"{\"group\":[\"\\u4e16\"],\"exclude\":null}", "世"},
        {"{\"group\":[\"世\"],\"exclude\":null}", "世"},
        {"{\"group\":[\"a\"]}", "a"},
        {"{\"exclude\":null,\"group\":[\"a\"]}", "a"},
        {"{\"group\":[5],\"exclude\":null}", "5"},
        {"{\"group\":{\"x\":\"5\"},\"exclude\":null}", "5"},
        {"{\"group\":\"5\",\"exclude\":null}", ""},
        {"{\"group\":[[\"5\"],\"ok\"],\"exclude\":null}", "ok"},
        {"{\"group\":[\"a\"],\"exclude\":[1,2]}", "a -1"}, /* keys 0 and 1 */
        {"{\"group\":[\"a\"],\"exclude\":{\"2\":null,\"3\":0}}", "a -3"},
        {"{\"group\":[\"\xff\"],\"exclude\":null}", ""},
        {"", ""},
        {"5", ""},
        {"{bad", ""},
    };
    check(receivers_read_groups, rows, sizeof(rows) / sizeof(rows[0]));
}

/* gateway-edge-cases.json send_uid_… */
static void uids(void **state)
{
    static const struct row rows[] = {
        {"[\"u1\",\"u2\"]", "u1|u2"},
        {"[\"u1\",\"u1\"]", "u1|u1"},
        {"[true]", "1"},
        {"[false]", "0"},
        {"[1.9]", "1"},
        {"[-1.9]", "-1"},
        {"[null]", ""},
        {"[5,\"5\"]", "5|5"},
        {"[1e300]", "0"},
        {"[]", ""},
        {"\"u1\"", ""},
        {"", ""},
        {"[[\"u1\"]]", ""},
        {"[\"with \\\"quote\"]", "with \"quote"},
        {"[\"open", ""},
        {"[\"a\"]x", ""},
    };
    check(receivers_read_uids, rows, sizeof(rows) / sizeof(rows[0]));
}

static void all(void **state)
{
    static const struct row rows[] = {
        {"", ""},
        {"{\"exclude\":{\"2\":2}}", " -2"},
        {"{\"exclude\":[1,2]}", " -1"},
        {"{\"exclude\":[]}", ""},
        {"{\"exclude\":{\"4294967295\":1,\"4294967296\":1,\"07\":1,\"x\":1}}", " -4294967295"},
        {"{\"connections\":[1,\"2\",9]}", " +1 +2 +9"},
        {"{\"connections\":{\"a\":2}}", " +2"},
        {"{\"connections\":{\"7\":7,\"4294967295\":4294967295}}", " +7 +4294967295"},
        {"{\"connections\":{\"0\":0,\"4294967296\":4294967296,\"3\":3}}", " +3"},
        {"{\"connections\":{\"1\":1,\"2\":\"2\",\"x\":3.9}}", " +1 +2 +3"},
        {"{\"connections\":{\"1\":1},\"exclude\":{\"1\":1}}", " +1"},
        {"{\"connections\":{\"1\":1}", ""},
        {"{\"connections\":{\"1\":01}}", ""},
        {"{\"connections\":{\"1\":1,}}", ""},
        {"{\"connections\":{\"1\":1}}x", ""},
        {"{\"connections\":null}", ""},
        {"{\"connections\":[1],\"exclude\":{\"1\":1}}", " +1"},
        {"{bad", ""},
    };
    check(receivers_read_all, rows, sizeof(rows) / sizeof(rows[0]));
    struct receivers t = {0};
    receivers_read_all(&t, span_str("{\"connections\":[]}"));
    assert_true(t.has_connections); /* nobody, not everybody */
    receivers_read_all(&t, span_str("{\"connections\":null}"));
    assert_false(t.has_connections);
    receivers_fini(&t);
}

static void plain_forms_need_no_memory(void **state)
{
    struct receivers t = {0};
    struct span group = span_str("{\"group\":[\"room 1\"],\"exclude\":{\"5\":5}}");
    struct span uid = span_str("[\"42\"]");
    receivers_read_groups(&t, group);
    struct allocs mark = allocs_mark();
    for (int i = 0; i < 1000; i++) {
        receivers_read_groups(&t, group);
        receivers_read_uids(&t, uid);
        receivers_read_all(&t, span_str(""));
        receivers_read_all(&t, span_str("{\"connections\":{\"5\":5}}"));
    }
    assert_int_equal(allocs_since(mark), 0);
    receivers_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups),
        cmocka_unit_test(uids),
        cmocka_unit_test(all),
        cmocka_unit_test(plain_forms_need_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

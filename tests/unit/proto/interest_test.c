/* interest: entries as docs/wire.md has them, and bodies that are none. */
#include "proto/interest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <gw/err.h>

#include "base/mem.h"

static const char BODY[] = "\x00\x04room"
                           "\x03\x01\x30"
                           "\x04\x00"
                           "\x07\x00";

static const struct interest_entry entries[] = {
    {INTEREST_HELD, INTEREST_GROUPS, {(const uint8_t *)"room", 4}},
    {INTEREST_GONE, INTEREST_UIDS, {(const uint8_t *)"0", 1}},
    {INTEREST_UNKNOWN, INTEREST_GROUPS, {0}},
    {INTEREST_KNOWN, INTEREST_UIDS, {0}},
};

static void entries_are_written(void **state)
{
    struct buf out = {0};
    for (size_t i = 0; i < ARRAY_LEN(entries); i++)
        interest_put(&out, &entries[i]);
    assert_int_equal(out.len, sizeof BODY - 1);
    assert_memory_equal(out.at, BODY, sizeof BODY - 1);
    buf_fini(&out);
}

static void and_read(void **state)
{
    struct span body = span_of(BODY, sizeof BODY - 1);
    struct interest_entry e;
    for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
        assert_int_equal(interest_next(&body, &e), 1);
        assert_int_equal(e.word, entries[i].word);
        assert_int_equal(e.kind, entries[i].kind);
        assert_true(span_eq(e.name, entries[i].name));
    }
    assert_int_equal(interest_next(&body, &e), 0);
}

static void broken_ones_are_refused(void **state)
{
    static const struct span broken[] = {
        {(const uint8_t *)"\x00", 1},      /* no length */
        {(const uint8_t *)"\x00\x02r", 3}, /* a name that is cut off */
        {(const uint8_t *)"\x00\x00", 2},  /* no name */
        {(const uint8_t *)"\x06\x01r", 3}, /* a name where there is none */
        {(const uint8_t *)"\x08\x00", 2},  /* no such word */
        {(const uint8_t *)"\xff\x01r", 3},
    };
    struct interest_entry e;
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        struct span body = broken[i];
        assert_int_equal(interest_next(&body, &e), GW_EPROTO);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_written),
        cmocka_unit_test(and_read),
        cmocka_unit_test(broken_ones_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Buffers: written behind, consumed in front, and cheap at both. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "support/allocs.h"
#include "support/spawn.h"

static void writing(void **state)
{
    struct buf b = {0};
    assert_string_equal(buf_cstr(&b), "");
    buf_puts(&b, "ab");
    buf_putc(&b, 'c');
    buf_put(&b, NULL, 0);
    buf_put_span(&b, span_str("de"));
    buf_put_u16be(&b, 0x6667);
    buf_put_u32be(&b, 0x68696a6b);
    assert_string_equal(buf_cstr(&b), "abcdefghijk");
    assert_int_equal(b.len, 11);
    assert_true(span_is(buf_span(&b), "abcdefghijk"));
    buf_clear(&b);
    assert_int_equal(b.len, 0);
    buf_fini(&b);
    buf_puts(&b, "again");
    assert_string_equal(buf_cstr(&b), "again");
    buf_fini(&b);
}

static void printing(void **state)
{
    struct buf b = {0};
    buf_printf(&b, "%d-%s", 1, "x");
    assert_string_equal(buf_cstr(&b), "1-x");
    buf_printf(&b, "%01000d", 7); /* longer than what is reserved at first */
    assert_int_equal(b.len, 1003);
    assert_int_equal(b.at[1002], '7');
    assert_int_equal(b.at[3], '0');
    buf_fini(&b);
}

static void consuming(void **state)
{
    struct buf b = {0};
    buf_puts(&b, "abcdef");
    buf_consume(&b, 2);
    assert_string_equal(buf_cstr(&b), "cdef");
    buf_consume(&b, 4);
    assert_int_equal(b.len, 0);
    assert_ptr_equal(b.at, b.base); /* the room in front is won back */
    buf_fini(&b);
    buf_clear(&b);
    buf_consume(&b, 0);
    assert_int_equal(b.len, 0);
}

/* A reader that always leaves a rest must not make the buffer grow. */
static void front_is_reused(void **state)
{
    struct buf b = {0};
    buf_puts(&b, "xy");
    struct allocs mark = allocs_mark();
    for (int i = 0; i < 10000; i++) {
        buf_puts(&b, "0123456789");
        buf_consume(&b, 10);
    }
    assert_int_equal(allocs_since(mark), 0);
    assert_string_equal(buf_cstr(&b), "89");
    buf_fini(&b);
}

/* Random writes and reads against a plain string. */
static void random_walk(void **state)
{
    struct buf b = {0};
    uint64_t written = 0, consumed = 0;
    unsigned seed = 1;
    for (int i = 0; i < 20000; i++) {
        size_t n = (size_t)rand_r(&seed) % 300;
        if (rand_r(&seed) % 2) {
            uint8_t *at = buf_try_reserve(&b, n);
            assert_non_null(at);
            for (size_t k = 0; k < n; k++)
                at[k] = (uint8_t)(written++ * 7);
            buf_commit(&b, n);
        } else {
            n = n < b.len ? n : b.len;
            for (size_t k = 0; k < n; k++)
                assert_int_equal(b.at[k], (uint8_t)(consumed++ * 7));
            buf_consume(&b, n);
        }
        assert_int_equal(b.len, written - consumed);
        assert_true(b.cap >= b.len);
    }
    buf_fini(&b);
}

static void impossible_reserve(void **state)
{
    struct buf b = {0};
    assert_null(buf_try_reserve(&b, SIZE_MAX));
    buf_puts(&b, "abc");
    assert_null(buf_try_reserve(&b, SIZE_MAX - 1));
    assert_string_equal(buf_cstr(&b), "abc");
    buf_fini(&b);
}

static void consume_too_much(void *arg)
{
    struct buf b = {0};
    buf_puts(&b, "abc");
    buf_consume(&b, 4);
}

static void commit_too_much(void *arg)
{
    struct buf b = {0};
    buf_reserve(&b, 1);
    buf_commit(&b, b.cap + 1);
}

static void broken_callers_abort(void **state)
{
    assert_int_equal(spawn_call(consume_too_much, NULL, 10000, NULL), 128 + SIGABRT);
    assert_int_equal(spawn_call(commit_too_much, NULL, 10000, NULL), 128 + SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writing),
        cmocka_unit_test(printing),
        cmocka_unit_test(consuming),
        cmocka_unit_test(front_is_reused),
        cmocka_unit_test(random_walk),
        cmocka_unit_test(impossible_reserve),
        cmocka_unit_test(broken_callers_abort),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

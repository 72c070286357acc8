/* Chunks: counted, pooled up to a limit, made to measure above the standard size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <signal.h>
#include <string.h>

#include <cmocka.h>

#include "base/chunk.h"
#include "support/allocs.h"
#include "support/spawn.h"

static void counting(void **state)
{
    struct chunk_pool *p = chunk_pool_new(2);
    struct chunk *c = chunk_new(p, 10);
    assert_int_equal(c->refs_n, 1);
    assert_int_equal(c->len, 0);
    assert_int_equal(c->cap, CHUNK_STD);
    assert_ptr_equal(chunk_ref(c), c);
    memset(c->at, 'x', c->cap);
    chunk_unref(c);
    assert_int_equal(c->at[CHUNK_STD - 1], 'x');
    chunk_unref(c);
    chunk_unref(NULL);
    chunk_pool_free(p);
    chunk_pool_free(NULL);
}

static void warm_pool_does_not_allocate(void **state)
{
    struct chunk_pool *p = chunk_pool_new(2);
    struct chunk *a = chunk_new(p, 0), *b = chunk_new(p, CHUNK_STD);
    chunk_unref(a);
    chunk_unref(b);
    struct allocs mark = allocs_mark();
    for (int i = 0; i < 100; i++) {
        a = chunk_new(p, 1);
        b = chunk_new(p, 1);
        a->len = 1;
        chunk_unref(b);
        chunk_unref(a);
    }
    assert_int_equal(allocs_since(mark), 0);
    chunk_pool_free(p);
}

static void idle_memory_is_bounded(void **state)
{
    struct chunk_pool *p = chunk_pool_new(1);
    struct chunk *some[3];
    assert_int_equal(chunk_pool_bytes(p), 0);
    for (int i = 0; i < 3; i++)
        some[i] = chunk_new(p, 1);
    size_t one = some[0]->held;
    assert_in_range(one, sizeof(struct chunk) + CHUNK_STD, chunk_held_max(CHUNK_STD));
    struct chunk *big = chunk_new(p, 1000000);
    assert_int_equal(big->cap, 1000000);
    memset(big->at, 0, big->cap);
    assert_int_equal(chunk_pool_bytes(p), 3 * one + big->held);
    assert_in_range(big->held, sizeof(struct chunk) + 1000000, chunk_held_max(1000000));
    chunk_unref(big);
    assert_int_equal(chunk_pool_bytes(p), 3 * one);
    for (int i = 0; i < 3; i++)
        chunk_unref(some[i]);
    assert_int_equal(chunk_pool_bytes(p), one);
    chunk_pool_free(p);
}

static void exact_chunks_take_no_more_than_asked(void **state)
{
    struct chunk_pool *p = chunk_pool_new(4);
    struct chunk *c = chunk_new_exact(p, 10);
    assert_int_equal(c->cap, 10);
    assert_int_equal(c->refs_n, 1);
    assert_int_equal(chunk_pool_bytes(p), c->held);
    assert_in_range(c->held, sizeof(struct chunk) + 10, chunk_held_max(10));
    chunk_unref(c);
    assert_int_equal(chunk_pool_bytes(p), 0); /* not kept */
    chunk_pool_free(p);
}

static void free_too_early(void *arg)
{
    struct chunk_pool *p = chunk_pool_new(1);
    struct chunk *c = chunk_new(p, 1);
    chunk_pool_free(p);
    chunk_unref(c);
}

static void freeing_under_a_chunk_aborts(void **state)
{
    assert_int_equal(spawn_call(free_too_early, NULL, 10000, NULL), 128 + SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counting),
        cmocka_unit_test(warm_pool_does_not_allocate),
        cmocka_unit_test(idle_memory_is_bounded),
        cmocka_unit_test(exact_chunks_take_no_more_than_asked),
        cmocka_unit_test(freeing_under_a_chunk_aborts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

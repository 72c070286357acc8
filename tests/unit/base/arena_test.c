/* Arenas: pieces of every size stay apart and aligned until all of them are given back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/compiler.h"

static const size_t sizes[] = {0, 1, 7, 8, 9, 500, 1024, 1025, 100000, 300000, 3};

static void pieces_do_not_overlap(void **state)
{
    struct arena a = {0};
    unsigned char *pieces[ARRAY_LEN(sizes)];

    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        pieces[i] = arena_alloc_raw(&a, sizes[i]);
        assert_int_equal((uintptr_t)pieces[i] % 8, 0);
        memset(pieces[i], (int)i + 1, sizes[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
        for (size_t k = 0; k < sizes[i]; k++)
            assert_int_equal(pieces[i][k], i + 1);
    arena_fini(&a);
    assert_null(a.blocks);
}

static void zeroes_and_texts(void **state)
{
    struct arena a = {0};

    memset(arena_alloc_raw(&a, 64), 0xff, 64);
    arena_fini(&a);
    unsigned char *zeroes = arena_alloc(&a, 64);
    for (size_t i = 0; i < 64; i++)
        assert_int_equal(zeroes[i], 0);
    assert_string_equal(arena_text(&a, span_str("borrowed")), "borrowed");
    assert_string_equal(arena_text(&a, span_of(NULL, 0)), "");
    arena_fini(&a);
    arena_fini(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_do_not_overlap),
        cmocka_unit_test(zeroes_and_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

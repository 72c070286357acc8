/* Heap memory: counted, zero-filled where promised, aborting where promised. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <signal.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "support/allocs.h"
#include "support/spawn.h"

static void calls_are_counted(void **state)
{
    struct allocs mark = allocs_mark();
    char *a = mem_strdup("abc");
    a = mem_realloc(a, 100);
    void *b = mem_zalloc(0);
    assert_non_null(b);
    assert_int_equal(allocs_since(mark), 3);
    assert_string_equal(a, "abc");
    mem_free(a);
    mem_free(b);
    mem_free(NULL);
    assert_int_equal(allocs_since(mark), 3);
}

static void strndup_takes_any_bytes(void **state)
{
    char *a = mem_strndup("a\0b", 3);
    assert_memory_equal(a, "a\0b", 4);
    mem_free(a);
    a = mem_strndup(NULL, 0);
    assert_string_equal(a, "");
    mem_free(a);
}

/* Sizes no machine has; the sanitizers' allocator would end the process instead of refusing. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__has_feature)
#define HAS_REFUSING_MALLOC 1
#elif defined(__has_feature)
#if !__has_feature(address_sanitizer)
#define HAS_REFUSING_MALLOC 1
#endif
#endif

static volatile size_t huge = SIZE_MAX / 4;

static void want_too_much(void *arg)
{
    mem_free(mem_alloc(huge));
}

static void impossible_sizes(void **state)
{
#ifdef HAS_REFUSING_MALLOC
    struct allocs mark = allocs_mark();
    assert_null(mem_try_alloc(huge));
    assert_null(mem_try_realloc(NULL, huge));
    assert_int_equal(allocs_since(mark), 0);
#endif
    struct buf out = {0};
    int status = spawn_call(want_too_much, NULL, 10000, &out);
#ifdef HAS_REFUSING_MALLOC
    assert_int_equal(status, 128 + SIGABRT);
    assert_non_null(strstr(buf_cstr(&out), "error: out of memory: "));
#else
    assert_int_not_equal(status, 0);
#endif
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_are_counted),
        cmocka_unit_test(strndup_takes_any_bytes),
        cmocka_unit_test(impossible_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

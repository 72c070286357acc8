/* Coroutines: start, suspend, resume, nesting, reuse of stacks, deep calls, the guard page. */
#include "net/co.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/co_sanitizer.h"

enum { STACK_BYTES = 256 * 1024 };

static struct co_pool *pool;
static char seen[64];
static struct co *waiting[8];
static size_t waiting_n;

static void note(char letter)
{
    size_t len = strlen(seen);
    assert_true(len + 1 < sizeof seen);
    seen[len] = letter;
    seen[len + 1] = '\0';
}

static int setup(void **state)
{
    pool = co_pool_new(STACK_BYTES, 2);
    seen[0] = '\0';
    waiting_n = 0;
    return 0;
}

static int teardown(void **state)
{
    co_pool_free(pool);
    return 0;
}

static void wait_once(void *arg)
{
    const char *letters = arg;
    note(letters[0]);
    waiting[waiting_n++] = co_current(pool);
    co_suspend(pool);
    note(letters[1]);
}

static void starts_and_finishes(void **state)
{
    static char ab[] = "ab";
    assert_null(co_current(pool));
    assert_int_equal(co_start(pool, wait_once, ab), 0);
    assert_null(co_current(pool));
    assert_string_equal(seen, "a");
    assert_int_equal(co_pool_alive_n(pool), 1);
    co_resume(waiting[0]);
    assert_string_equal(seen, "ab");
    assert_int_equal(co_pool_alive_n(pool), 0);
}

static void many_wait_at_once_and_end_in_any_order(void **state)
{
    static char texts[5][3] = {"aA", "bB", "cC", "dD", "eE"};
    static const size_t order[5] = {3, 0, 4, 2, 1};
    for (int round = 0; round < 2; round++) { /* the second round reuses stacks */
        waiting_n = 0;
        seen[0] = '\0';
        for (size_t i = 0; i < 5; i++)
            assert_int_equal(co_start(pool, wait_once, texts[i]), 0);
        assert_int_equal(co_pool_alive_n(pool), 5);
        for (size_t i = 0; i < 5; i++)
            co_resume(waiting[order[i]]);
        assert_string_equal(seen, "abcdeDAECB");
    }
}

static void inner(void *arg)
{
    note('i');
    waiting[waiting_n++] = co_current(pool);
    co_suspend(pool);
    note('I');
}

static struct co *outer_co;

static void outer(void *arg)
{
    outer_co = co_current(pool);
    note('o');
    assert_int_equal(co_start(pool, inner, NULL), 0);
    assert_ptr_equal(co_current(pool), outer_co);
    note('p');
    co_suspend(pool);
    note('O');
}

static void resume_first(void *arg)
{
    note('r');
    co_resume(waiting[0]);
    note('R');
}

static void nests_and_resumes_from_another(void **state)
{
    assert_int_equal(co_start(pool, outer, NULL), 0);
    assert_string_equal(seen, "oip");
    assert_int_equal(co_start(pool, resume_first, NULL), 0);
    assert_string_equal(seen, "oiprIR");
    co_resume(outer_co);
    assert_string_equal(seen, "oiprIRO");
}

static void the_outer_one_may_end_first(void **state)
{
    assert_int_equal(co_start(pool, outer, NULL), 0);
    co_resume(outer_co);
    co_resume(waiting[0]);
    assert_string_equal(seen, "oipOI");
}

/* Not a tail call, and every frame is touched. */
static uint64_t deep(unsigned level)
{
    volatile uint8_t frame[256];
    memset((void *)(uintptr_t)frame, (int)level, sizeof frame);
    uint64_t below = level ? deep(level - 1) : 0;
    return below + frame[level % sizeof frame];
}

static void go_deep(void *arg)
{
    waiting[waiting_n++] = co_current(pool);
    *(uint64_t *)arg = deep(300);
    co_suspend(pool);
    *(uint64_t *)arg += deep(200);
}

static void deep_calls_work(void **state)
{
    uint64_t want = 0;
    for (unsigned level = 0; level <= 300; level++)
        want += (uint8_t)level;
    uint64_t got[2] = {0, 0};
    assert_int_equal(co_start(pool, go_deep, &got[0]), 0);
    assert_int_equal(co_start(pool, go_deep, &got[1]), 0);
    assert_int_equal(got[0], want);
    co_resume(waiting[1]);
    assert_true(got[1] > want);
    assert_int_equal(got[0], want);
    co_resume(waiting[0]);
    assert_int_equal(got[0], got[1]);
}

static void keep_floats(void *arg)
{
    volatile double sum = 0.5;
    for (int i = 0; i < 3; i++) {
        waiting[0] = co_current(pool);
        co_suspend(pool);
        sum = sum * 2 + 0.25;
    }
    *(double *)arg = sum;
}

static void registers_survive(void **state)
{
    double got = 0;
    assert_int_equal(co_start(pool, keep_floats, &got), 0);
    volatile double mine = 1.0;
    for (int i = 0; i < 3; i++) {
        mine *= 1.5;
        co_resume(waiting[0]);
    }
    assert_true(got == 5.75);
    assert_true(mine == 3.375);
}

static void overflow(void *arg)
{
    (void)deep(UINT32_MAX);
}

static void an_overflow_hits_the_guard_page(void **state)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        signal(SIGSEGV, SIG_DFL);
        if (co_start(pool, overflow, NULL) < 0)
            _exit(1);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSEGV);
}

static void finish_waiting(void)
{
    for (size_t i = 0; i < waiting_n; i++)
        co_resume(waiting[i]);
}

/* More than the pool keeps: the rest is unmapped, and taken anew. */
static void idle_stacks_are_bounded(void **state)
{
    static char xy[] = "xy";
    for (int i = 0; i < 6; i++)
        assert_int_equal(co_start(pool, wait_once, xy), 0);
    finish_waiting();
    assert_int_equal(co_pool_alive_n(pool), 0);
    waiting_n = 0;
    for (int i = 0; i < 6; i++)
        assert_int_equal(co_start(pool, wait_once, xy), 0);
    finish_waiting();
    assert_int_equal(co_pool_alive_n(pool), 0);
}

static void refuse_and_exit(void)
{
    static char xx[] = "xx";
    struct rlimit limit = {64 * 1024 * 1024, 64 * 1024 * 1024};
    struct co_pool *huge = co_pool_new((size_t)1 << 30, 1);
    if (setrlimit(RLIMIT_AS, &limit) < 0)
        _exit(2);
    _exit(co_start(huge, wait_once, xx) == 0 ? 1 : 0);
}

static void without_memory_nothing_runs(void **state)
{
#ifdef CO_HAS_ASAN
    skip(); /* ASan's own memory exceeds any useful limit */
#endif
    pid_t pid = fork();
    if (pid == 0)
        refuse_and_exit();
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(starts_and_finishes),
        TEST(many_wait_at_once_and_end_in_any_order),
        TEST(nests_and_resumes_from_another),
        TEST(the_outer_one_may_end_first),
        TEST(deep_calls_work),
        TEST(registers_survive),
        TEST(an_overflow_hits_the_guard_page),
        TEST(idle_stacks_are_bounded),
        TEST(without_memory_nothing_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

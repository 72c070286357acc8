/* A loop with coroutines for tests of stores: runs a function on a coroutine until it returns. */
#ifndef UNIT_STORE_FIXTURE_H
#define UNIT_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "store/call.h"
#include "support/tmpdir.h"

struct fixture {
    struct loop *loop;
    struct fibers fibers;
    struct store_host host;
    struct tmpdir dir;
    size_t running_n;
};

static struct fixture fx;

static int fixture_setup(void **state)
{
    fx = (struct fixture){.loop = loop_new(), .dir = tmpdir_make()};
    assert_int_equal(fibers_init(&fx.fibers, 256 * 1024, 1000), 0);
    fx.host = (struct store_host){.loop = fx.loop, .fibers = &fx.fibers};
    return 0;
}

static int fixture_teardown(void **state)
{
    assert_int_equal(fibers_alive_n(&fx.fibers), 0);
    fibers_fini(&fx.fibers);
    loop_free(fx.loop);
    tmpdir_remove(&fx.dir);
    return 0;
}

static inline void spawn_co(void (*fn)(void *arg), void *arg)
{
    assert_int_equal(fibers_start(&fx.fibers, fn, arg, NULL), 0);
}

/* Turns until no coroutine is left; a test that hangs fails after 20 s. */
static inline void run_all_cos(void)
{
    uint64_t end_ms = clock_mono_ms() + 20000;

    while (fibers_alive_n(&fx.fibers) > 0) {
        assert_in_range(clock_mono_ms(), 0, end_ms);
        assert_int_equal(loop_turn(fx.loop, 20), 0);
    }
}

static inline void run_co(void (*fn)(void *arg), void *arg)
{
    spawn_co(fn, arg);
    run_all_cos();
}

#endif

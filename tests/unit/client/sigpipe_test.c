/* sigpipe: one that comes while it is held kills nobody, and one that was there before stays. */
#include "client/sigpipe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static bool is_pending(void)
{
    sigset_t set;
    return sigpending(&set) == 0 && sigismember(&set, SIGPIPE) == 1;
}

static void write_to_nobody(void)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    close(ends[1]);
    assert_int_equal(write(ends[0], "x", 1), -1);
    close(ends[0]);
}

static void held_it_kills_nobody(void **state)
{
    struct sigpipe s;
    sigpipe_hold(&s);
    write_to_nobody();
    assert_true(is_pending());
    sigpipe_drop(&s); /* the default would end this process here */
    assert_false(is_pending());
}

static void an_earlier_one_stays(void **state)
{
    struct sigpipe outer, inner;
    sigpipe_hold(&outer);
    write_to_nobody();
    sigpipe_hold(&inner);
    write_to_nobody();
    sigpipe_drop(&inner);
    assert_true(is_pending());
    sigpipe_drop(&outer);
    assert_false(is_pending());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(held_it_kills_nobody),
        cmocka_unit_test(an_earlier_one_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

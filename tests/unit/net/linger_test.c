/* Lingering descriptors: drained, closed at the peer's end or in time, bounded in number. */
#include "net/linger.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/fake_clock.h"

static struct loop *loop;
static struct lingers lingers;

static int setup(void **state)
{
    loop = loop_new();
    fake_clock_start(loop_now_ms(loop) + 1);
    if (loop_turn(loop, 0) < 0)
        return -1;
    lingers_init(&lingers, loop);
    return 0;
}

static int teardown(void **state)
{
    lingers_fini(&lingers);
    loop_free(loop);
    fake_clock_stop();
    return 0;
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static void pair(int fds[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
}

static void the_peers_end_closes(void **state)
{
    int fds[2];
    pair(fds);
    lingers_take(&lingers, fds[0]);
    assert_int_equal(write(fds[1], "ignored", 7), 7);
    assert_int_equal(loop_turn(loop, 0), 0);
    assert_true(is_open(fds[0]));
    close(fds[1]);
    assert_int_equal(loop_turn(loop, 0), 0);
    assert_false(is_open(fds[0]));
    assert_int_equal(lingers.len, 0);
}

static void time_closes(void **state)
{
    int first[2], second[2];
    pair(first);
    pair(second);
    lingers_take(&lingers, first[0]);
    fake_clock_advance(LINGER_MS / 2);
    assert_int_equal(loop_turn(loop, 0), 0);
    lingers_take(&lingers, second[0]);
    fake_clock_advance(LINGER_MS / 2);
    assert_int_equal(loop_turn(loop, 0), 0);
    assert_false(is_open(first[0]));
    assert_true(is_open(second[0]));
    fake_clock_advance(LINGER_MS / 2);
    assert_int_equal(loop_turn(loop, 0), 0);
    assert_false(is_open(second[0]));
    close(first[1]);
    close(second[1]);
}

static void the_end_of_the_loop_closes(void **state)
{
    int fds[2];
    pair(fds);
    lingers_take(&lingers, fds[0]);
    lingers_fini(&lingers);
    assert_false(is_open(fds[0]));
    close(fds[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_peers_end_closes),
        TEST(time_closes),
        TEST(the_end_of_the_loop_closes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

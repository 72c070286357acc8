/* A gateway leaves: who is still let in, who is sent away when, and when it ends. */
#include "gateway/retreat.h"

#include <poll.h>

#include "base/clock.h"

#include "gateway_fixture.h"

#include "support/fake_clock.h"

enum { BEAT_MS = 100, SHUT_MS = 500, CLIENTS_MAX = 60 };

struct scene {
    struct gateway_bench b;
    struct gateway *g;
    int clients[CLIENTS_MAX];
    int clients_n;
};

static void set_up(struct scene *s)
{
    *s = (struct scene){0};
    fake_clock_start(clock_mono_ms() - 60000); /* so that the end is on time again */
    bench_start(&s->b, "");
    s->g = s->b.self;
}

static void connect_clients(struct scene *s, int n)
{
    while (n-- > 0)
        s->clients[s->clients_n++] = dial(&s->b, 0);
}

static void pass(const struct scene *s, uint64_t ms)
{
    for (uint64_t passed = 0; passed < ms; passed += BEAT_MS) {
        fake_clock_advance(BEAT_MS);
        turn(&s->b, 3);
    }
}

/* How many have been sent away, with an end and not with a reset. */
static int gone_n(const struct scene *s)
{
    int n = 0;
    for (int i = 0; i < s->clients_n; i++) {
        uint8_t byte;
        ssize_t got = recv(s->clients[i], &byte, 1, MSG_DONTWAIT | MSG_PEEK);
        if (got < 0)
            assert_int_equal(errno, EAGAIN);
        n += got == 0;
    }
    return n;
}

static void tear_down(struct scene *s)
{
    for (int i = 0; i < s->clients_n; i++)
        close(s->clients[i]);
    fake_clock_stop();
    loop_turn(s->b.env.loop, 0); /* sees the real time, before a deadline is made of the other */
    bench_end(&s->b);
}

static struct addr address(const struct scene *s)
{
    struct addr at;
    assert_int_equal(sock_local(s->b.fds[0], &at), 0);
    return at;
}

static int try_to_connect(const struct addr *at)
{
    int fd = sock_connect(at);
    assert_true(fd >= 0);
    return fd;
}

static int wait_for(int fd, int ms)
{
    struct pollfd writable = {.fd = fd, .events = POLLOUT};
    return poll(&writable, 1, ms);
}

static void who_waits_in_the_kernel_is_let_in(void **state)
{
    struct scene s;
    set_up(&s);
    connect_clients(&s, CLIENTS_MAX);
    retreat_begin(s.g, 1000, 0);
    turn(&s.b, 5);
    assert_int_equal(clients_len(&s.g->clients), CLIENTS_MAX);
    pass(&s, SHUT_MS - BEAT_MS);
    assert_int_equal(gone_n(&s), 0);
    pass(&s, BEAT_MS);
    assert_int_equal(gone_n(&s), CLIENTS_MAX);
    tear_down(&s);
}

static void nobody_new_comes(void **state)
{
    struct scene s;
    set_up(&s);
    connect_clients(&s, 1);
    struct addr at = address(&s);
    retreat_begin(s.g, 1, 0);
    int early = try_to_connect(&at);
    if (sock_shun(s.b.fds[0]) == 0)               /* else this user may not filter TCP */
        assert_int_equal(wait_for(early, 50), 0); /* no answer at all: it will try again */
    pass(&s, SHUT_MS);
    int late = try_to_connect(&at);
    assert_int_equal(wait_for(late, 5000), 1);
    assert_int_equal(sock_error(late), -ECONNREFUSED);
    close(early);
    close(late);

    /* As undrain does. A port that the kernel chose is another one then. */
    assert_int_equal(sock_listen_again(s.b.fds[0]), 0);
    at = address(&s);
    int again = try_to_connect(&at);
    assert_int_equal(wait_for(again, 5000), 1);
    assert_int_equal(sock_error(again), 0);
    close(again);
    tear_down(&s);
}

static void as_many_leave_each_second_as_was_said(void **state)
{
    static const struct {
        uint64_t per_second, seconds;
        int after_1_s, after_2_s;
    } cases[] = {{5, 0, 5, 10}, {1, 0, 1, 2}, {0, 5, 5, 10}, {20, 1, 20, 20}, {0, 0, 20, 20}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct scene s;
        set_up(&s);
        connect_clients(&s, 20);
        turn(&s.b, 5);
        retreat_begin(s.g, cases[i].per_second, cases[i].seconds);
        retreat_begin(s.g, 1000, 0); /* twice is once */
        pass(&s, SHUT_MS - BEAT_MS);
        pass(&s, 1000);
        assert_int_equal(gone_n(&s), cases[i].after_1_s);
        if (cases[i].after_1_s < 20)
            pass(&s, 1000);
        assert_int_equal(gone_n(&s), cases[i].after_2_s);
        tear_down(&s);
    }
}

/* It does not end before the last one has, and then without being asked. */
static void it_ends_behind_the_last_client(void **state)
{
    struct scene s;
    set_up(&s);
    connect_clients(&s, 2);
    turn(&s.b, 5);
    retreat_begin(s.g, 1, 0);
    pass(&s, SHUT_MS + 1000);
    assert_int_equal(gone_n(&s), 1);
    assert_int_equal(s.b.finished_n, 0);
    for (int i = 0; i < 2; i++)
        close(s.clients[i]);
    pass(&s, 1000);
    fake_clock_stop();
    bench_await_end(&s.b);
}

static void a_stop_overtakes_it(void **state)
{
    struct scene s;
    set_up(&s);
    connect_clients(&s, 10);
    turn(&s.b, 5);
    retreat_begin(s.g, 1, 0);
    pass(&s, SHUT_MS);
    assert_in_range(gone_n(&s), 0, 1);
    tear_down(&s);
}

static void who_ends_already_does_not_retreat(void **state)
{
    struct scene s;
    set_up(&s);
    connect_clients(&s, 1);
    turn(&s.b, 5);
    gateway_role.drain(s.g);
    retreat_begin(s.g, 1, 0);
    assert_false(s.g->retreat.is_on);
    tear_down(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_waits_in_the_kernel_is_let_in),
        cmocka_unit_test(nobody_new_comes),
        cmocka_unit_test(as_many_leave_each_second_as_was_said),
        cmocka_unit_test(it_ends_behind_the_last_client),
        cmocka_unit_test(a_stop_overtakes_it),
        cmocka_unit_test(who_ends_already_does_not_retreat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

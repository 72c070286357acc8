/* Places at a registry: whoever has not said what it is makes room for others. */
#include "registry/peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/transport.h"

enum { PLACES_N = 3, TURNS_N = 8 };

struct scene {
    struct loop *loop;
    struct conn_pool *conns;
    struct peer_host host;
};

static void settle(struct scene *s)
{
    for (int i = 0; i < TURNS_N; i++)
        assert_true(loop_turn(s->loop, 0) >= 0);
}

static void open_scene(struct scene *s)
{
    s->loop = loop_new();
    s->conns = conn_pool_new(s->loop);
    peer_host_init(&s->host, s->loop, s->conns, "");
    s->host.peers_max = PLACES_N;
}

static void close_scene(struct scene *s)
{
    peer_host_close_all(&s->host);
    settle(s);
    assert_int_equal(s->host.peers_n, 0);
    peer_host_fini(&s->host);
    conn_pool_free(s->conns);
    loop_free(s->loop);
}

/* Comes, and says that, if anything. Returns its end. */
static int come(struct scene *s, const char *line)
{
    const struct addr from = {.family = AF_UNIX};
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    peer_accept(&s->host, fds[0], &from, &plain_transport, NULL);
    if (line)
        assert_int_equal(send(fds[1], line, strlen(line), MSG_NOSIGNAL), strlen(line));
    settle(s);
    return fds[1];
}

static bool is_closed(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
}

static const char gateway[] = "{\"event\":\"gateway_connect\",\"address\":\"10.0.0.1:2300\","
                              "\"secret_key\":\"\"}\n";
static const char worker[] = "{\"event\":\"worker_connect\",\"secret_key\":\"\"}\n";

static void the_oldest_without_a_role_makes_room(void **state)
{
    struct scene s;
    open_scene(&s);
    int first = come(&s, gateway), second = come(&s, NULL),
        third = come(&s, "{\"event\":\"ping\"}\n");
    int fourth = come(&s, worker), fifth = come(&s, worker);
    assert_false(is_closed(first));
    assert_true(is_closed(second));
    assert_true(is_closed(third));
    assert_false(is_closed(fourth));
    assert_false(is_closed(fifth));
    assert_int_equal(s.host.peers_n, PLACES_N);
    for (size_t i = 0; i < 5; i++)
        close((int[]){first, second, third, fourth, fifth}[i]);
    close_scene(&s);
}

static void those_with_a_role_stay(void **state)
{
    struct scene s;
    open_scene(&s);
    int first = come(&s, gateway), second = come(&s, worker), third = come(&s, worker);
    int late = come(&s, NULL);
    assert_true(is_closed(late));
    assert_false(is_closed(first) || is_closed(second) || is_closed(third));
    for (size_t i = 0; i < 4; i++)
        close((int[]){first, second, third, late}[i]);
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_without_a_role_makes_room),
        cmocka_unit_test(those_with_a_role_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Clients that do not read: who is told of them, once each way, and that nothing of it stays. */
#include "gateway/slow.h"

#include "chan/chan.h"
#include "gateway_fixture.h"

enum { PART = 400, LIMIT = 10000 };

static const char *const HEARS =
    "{\"worker_key\":\"w:0\",\"secret_key\":\"\",\"gatehouse\":1,\"buffers\":1}";

struct scene {
    struct gateway_bench b;
    struct gateway *g;
    int worker, client;
};

static void set_up(struct scene *s, const char *on_full, const char *greeting)
{
    char more[200];
    snprintf(more, sizeof(more),
             "send_to_client_buffer_size = %d\nclose_timeout = 0.1\non_full = %s", LIMIT, on_full);
    bench_start(&s->b, more);
    s->g = s->b.self;
    s->worker = attach_as(&s->b, greeting);
    take_packet(&s->b, s->worker, CMD_HELLO);
    s->client = dial(&s->b, 0);
    take_packet(&s->b, s->worker, CMD_ON_CONNECT);
    int small = 4096; /* at both ends */
    int fds[] = {conn_fd(chan_conn(clients_find(&s->g->clients, 1)->chan)), s->client};
    assert_int_equal(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
    assert_int_equal(setsockopt(fds[1], SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
}

static void tear_down(struct scene *s)
{
    close(s->client);
    close(s->worker);
    bench_end(&s->b);
}

static struct client *client_of(const struct scene *s)
{
    return clients_find(&s->g->clients, 1);
}

static void send_one(const struct scene *s)
{
    char text[PART];
    memset(text, 'x', sizeof(text));
    put_cmd(s->worker, CMD_SEND_TO_ONE, 1, span_of(NULL, 0), span_of(text, sizeof(text)));
    turn(&s->b, 2);
}

/* Until the first message found no room. The kernel may find some more at any time, so that nobody
 * can tell afterwards how much waits. */
static void fill(const struct scene *s)
{
    for (int i = 0; i < 100000 && s->g->counts.send_fail_n == 0; i++)
        send_one(s);
    assert_int_equal(s->g->counts.send_fail_n, 1);
}

/* Everything that is on its way. */
static void read_all(const struct scene *s)
{
    static uint8_t block[65536];
    for (int i = 0; i < TURNS_MAX && s->g->slow_n > 0; i++) {
        while (recv(s->client, block, sizeof(block), MSG_DONTWAIT) > 0)
            continue;
        turn(&s->b, 1);
    }
}

static bool hears_something(const struct scene *s)
{
    uint8_t byte;
    turn(&s->b, 4);
    return recv(s->worker, &byte, 1, MSG_DONTWAIT | MSG_PEEK) > 0;
}

/* Full and drain take turns: however often the kernel found some more room, never twice the same.
 * Returns what was said last. */
static int hear_of_buffers(const struct scene *s)
{
    int last = CMD_ON_BUFFER_DRAIN, cmd;
    while (hears_something(s)) {
        uint8_t head[5];
        assert_int_equal(recv(s->worker, head, sizeof(head), MSG_PEEK), sizeof(head));
        cmd = head[4];
        if (cmd == CMD_ON_CLOSE)
            break;
        assert_int_equal(take_packet(&s->b, s->worker, cmd).connection_id, 1);
        assert_int_equal(cmd,
                         last == CMD_ON_BUFFER_FULL ? CMD_ON_BUFFER_DRAIN : CMD_ON_BUFFER_FULL);
        last = cmd;
    }
    return last;
}

static void full_and_empty_again_are_told_in_turn(void **state)
{
    struct scene s;
    set_up(&s, "drop_new", HEARS);
    for (int round = 0; round < 2; round++) {
        s.g->counts.send_fail_n = 0;
        fill(&s);
        assert_true(hears_something(&s));
        for (int i = 0; i < 5; i++)
            send_one(&s);
        assert_in_range(s.g->counts.send_fail_n, 1, 6);
        read_all(&s);
        assert_int_equal(s.g->slow_n, 0);
        assert_int_equal(hear_of_buffers(&s), CMD_ON_BUFFER_DRAIN);
        assert_false(client_of(&s)->is_full);
    }
    assert_true(s.g->counts.drop_new_n >= 2);
    tear_down(&s);
}

static void who_did_not_ask_hears_nothing(void **state)
{
    struct scene s;
    set_up(&s, "drop_new", "{\"worker_key\":\"w:0\",\"secret_key\":\"\",\"gatehouse\":1}");
    fill(&s);
    read_all(&s);
    assert_int_equal(s.g->slow_n, 0);
    assert_false(hears_something(&s));
    tear_down(&s);
}

/* The count of slow clients falls with a client that leaves as one. */
static void one_that_leaves_is_slow_no_more(void **state)
{
    struct scene s;
    set_up(&s, "drop_new", HEARS);
    fill(&s);
    shutdown(s.client, SHUT_RDWR);
    hear_of_buffers(&s);
    take_packet(&s.b, s.worker, CMD_ON_CLOSE);
    assert_int_equal(s.g->slow_n, 0);
    tear_down(&s);
}

/* Before its end the worker hears why. */
static void one_that_is_closed_was_full(void **state)
{
    struct scene s;
    set_up(&s, "close", HEARS);
    fill(&s);
    assert_int_equal(hear_of_buffers(&s), CMD_ON_BUFFER_FULL);
    take_packet(&s.b, s.worker, CMD_ON_CLOSE);
    assert_int_equal(s.g->counts.slow_closed_n, 1);
    assert_int_equal(s.g->slow_n, 0);
    tear_down(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_and_empty_again_are_told_in_turn),
        cmocka_unit_test(who_did_not_ask_hears_nothing),
        cmocka_unit_test(one_that_leaves_is_slow_no_more),
        cmocka_unit_test(one_that_is_closed_was_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

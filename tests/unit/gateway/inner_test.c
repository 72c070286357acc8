/* Inner peers that ask more than they read. */
#include "gateway/inner.h"

#include "gateway_fixture.h"

/* All answers come in the end; meanwhile no more wait than the limit and one. */
static void answers_do_not_pile_up(void **state)
{
    enum { ASK_N = 3000, SESSION = 10000 };
    struct gateway_bench b;
    bench_start(&b, "send_to_worker_buffer_size = 65536");
    int worker = attach(&b), client = dial(&b, 0), asker = dial(&b, 1);
    take_packet(&b, worker, CMD_ON_CONNECT);
    static uint8_t session[SESSION], packet[WIRE_HEAD + SESSION];
    memset(session, 's', sizeof(session));
    wire_encode(packet, &(struct wire_packet){.cmd = CMD_SET_SESSION,
                                              .flag = WIRE_SCALAR,
                                              .connection_id = 1,
                                              .ext = span_of(session, sizeof(session))});
    put(worker, packet, sizeof(packet));
    turn(&b, 10);
    for (int i = 0; i < ASK_N; i++)
        put_cmd(asker, CMD_GET_SESSION_BY_CLIENT_ID, 1, span_of(NULL, 0), span_of(NULL, 0));
    turn(&b, 100);
    struct gateway *g = b.self;
    struct peer *p = CONTAINER_OF(g->inner.peers.prev, struct peer, node);
    assert_true(p->is_held);
    assert_in_range(conn_queued(p->conn), 0, 65536 + SESSION + 4);
    static uint8_t reply[4 + SESSION];
    for (int i = 0; i < ASK_N; i++) {
        take(&b, asker, reply, sizeof(reply));
        assert_int_equal(get_u32be(reply), SESSION);
        assert_int_equal(reply[4 + SESSION - 1], 's');
    }
    assert_false(p->is_held);
    close(asker);
    close(client);
    close(worker);
    bench_end(&b);
}

/* It asks and is gone before the answers are. */
static void a_peer_may_leave_before_its_answers(void **state)
{
    struct gateway_bench b;
    bench_start(&b, "");
    int fd = dial(&b, 1);
    for (int i = 0; i < 3; i++)
        put_cmd(fd, CMD_GET_ALL_CLIENT_SESSIONS, 0, span_of(NULL, 0), span_of(NULL, 0));
    close(fd);
    turn(&b, 50);
    const struct gateway *g = b.self;
    assert_ptr_equal(g->inner.peers.next, &g->inner.peers);
    bench_end(&b);
}

static void put_event(struct peer *p, uint8_t cmd, bool can_wait)
{
    struct wire_packet event = {.cmd = cmd, .flag = WIRE_SCALAR};
    wire_encode(conn_reserve(p->conn, WIRE_HEAD), &event);
    peer_commit_event(p, WIRE_HEAD, can_wait);
}

/* The second one of a millisecond waits for the next, unless one comes that cannot. */
static void events_that_can_wait_leave_together(void **state)
{
    struct gateway_bench b;
    bench_start(&b, "");
    int worker = attach(&b);
    struct gateway *g = b.self;
    struct peer *p = CONTAINER_OF(g->inner.peers.prev, struct peer, node);
    p->pushed_ms = 0;
    put_event(p, CMD_ON_CONNECT, true);
    assert_true(conn_is_pushed(p->conn));
    take_packet(&b, worker, CMD_ON_CONNECT);

    p->pushed_ms = loop_now_ms(g->loop);
    put_event(p, CMD_ON_CONNECT, true);
    assert_false(conn_is_pushed(p->conn));
    put_event(p, CMD_ON_MESSAGE, false);
    assert_true(conn_is_pushed(p->conn));
    take_packet(&b, worker, CMD_ON_CONNECT);
    take_packet(&b, worker, CMD_ON_MESSAGE);

    p->pushed_ms = loop_now_ms(g->loop);
    put_event(p, CMD_ON_CLOSE, true);
    assert_false(conn_is_pushed(p->conn));
    take_packet(&b, worker, CMD_ON_CLOSE);

    p->pushed_ms = loop_now_ms(g->loop);
    put_event(p, CMD_ON_CLOSE, true);
    close(worker); /* while one waits */
    bench_end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_do_not_pile_up),
        cmocka_unit_test(a_peer_may_leave_before_its_answers),
        cmocka_unit_test(events_that_can_wait_leave_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Connections: opening, closing, dying, deadlines, lingering. */
#include "net/conn.h"

#include <netinet/in.h>
#include <sys/ioctl.h>

#include "net/sock.h"
#include "support/fake_clock.h"
#include "unit/net/conn_fixture.h"

static void opens_and_carries_bytes_both_ways(void **state)
{
    struct fixture *f = *state;
    struct buf in = {0};
    fixture_open(f);
    fixture_peer_write(f, "hello");
    fixture_turn(f);
    assert_buf_is(&f->got, "hello");
    assert_int_equal(conn_send(f->conn, span_str("wor")), 0);
    assert_int_equal(conn_send(f->conn, span_str("ld")), 0);
    assert_int_equal(conn_queued(f->conn), 5);
    fixture_turn(f);
    assert_int_equal(conn_queued(f->conn), 0);
    assert_true(fixture_peer_read(f, &in));
    assert_buf_is(&in, "world");
    struct conn_counts counts;
    conn_counts(f->conn, &counts);
    assert_int_equal(counts.read_bytes, 5);
    assert_int_equal(counts.written_bytes, 5);
    assert_string_equal(conn_transport_name(f->conn), "tcp");
    buf_fini(&in);
}

static void the_peers_end_closes_after_its_bytes(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    fixture_peer_write(f, "last");
    fixture_peer_close(f);
    FIXTURE_TURN_UNTIL(f, f->closed_n);
    assert_buf_is(&f->got, "last");
    assert_int_equal(f->why, GW_ECLOSED);
    assert_int_equal(conn_pool_len(f->pool), 0);
}

static void answer_the_last(struct fixture *f)
{
    assert_int_equal(conn_send(f->conn, span_str("answer")), 0);
}

static void a_half_closed_peer_gets_what_is_queued(void **state)
{
    struct fixture *f = *state;
    struct buf in = {0};
    fixture_open(f);
    f->on_bytes_hook = answer_the_last;
    fixture_peer_write(f, "question");
    assert_int_equal(shutdown(f->peer_fd, SHUT_WR), 0);
    FIXTURE_TURN_UNTIL(f, f->closed_n);
    assert_false(fixture_peer_read(f, &in));
    assert_buf_is(&in, "answer");
    assert_int_equal(f->why, GW_ECLOSED);
    buf_fini(&in);
}

static void close_flushes_first(void **state)
{
    struct fixture *f = *state;
    struct buf in = {0};
    fixture_open(f);
    assert_int_equal(conn_send(f->conn, span_str("bye")), 0);
    conn_close(f->conn);
    conn_close(f->conn); /* twice is fine */
    assert_int_equal(f->closed_n, 0);
    assert_int_equal(conn_send(f->conn, span_str("late")), GW_ECLOSED);
    assert_true(conn_is_closing(f->conn));
    fixture_turn(f);
    assert_int_equal(f->closed_n, 1);
    assert_int_equal(f->why, 0);
    assert_false(fixture_peer_read(f, &in));
    assert_buf_is(&in, "bye");
    buf_fini(&in);
}

static void destroy_drops_the_queue(void **state)
{
    struct fixture *f = *state;
    struct buf in = {0};
    fixture_open(f);
    assert_int_equal(conn_send(f->conn, span_str("never")), 0);
    struct conn *c = f->conn;
    conn_destroy(c, GW_EPROTO);
    conn_destroy(c, GW_ETOOBIG);
    conn_close(c);
    assert_int_equal(conn_send(c, span_str("late")), GW_ECLOSED);
    assert_int_equal(f->closed_n, 0);
    fixture_turn(f);
    assert_int_equal(f->closed_n, 1);
    assert_int_equal(f->why, GW_EPROTO); /* the first reason */
    assert_false(fixture_peer_read(f, &in));
    assert_int_equal(in.len, 0);
    buf_fini(&in);
}

static void close_in_callback(struct fixture *f)
{
    conn_close(f->conn);
}

static void destroy_in_callback(struct fixture *f)
{
    conn_destroy(f->conn, GW_EAUTH);
}

static void closing_inside_a_callback_is_fine(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    f->on_bytes_hook = close_in_callback;
    f->use_max = 1;
    fixture_peer_write(f, "abc");
    fixture_turn(f);
    assert_int_equal(f->closed_n, 1);
    assert_int_equal(f->bytes_n, 1); /* nothing more is read */
    assert_int_equal(f->why, 0);
}

static void destroying_inside_a_callback_is_fine(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    f->on_bytes_hook = destroy_in_callback;
    f->use_max = 1;
    fixture_peer_write(f, "abc");
    fixture_turn(f);
    assert_int_equal(f->closed_n, 1);
    assert_int_equal(f->bytes_n, 1);
    assert_int_equal(f->why, GW_EAUTH);
}

static void an_error_of_on_bytes_closes_after_flushing(void **state)
{
    struct fixture *f = *state;
    struct buf in = {0};
    fixture_open(f);
    f->answer = GW_EPROTO;
    f->on_bytes_hook = answer_the_last;
    fixture_peer_write(f, "bad");
    fixture_turn(f);
    assert_int_equal(f->closed_n, 1);
    assert_int_equal(f->why, GW_EPROTO);
    assert_false(fixture_peer_read(f, &in));
    assert_buf_is(&in, "answer");
    buf_fini(&in);
}

static void freeing_the_pool_closes_what_is_open(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    assert_int_equal(conn_send(f->conn, span_str("x")), 0);
    conn_pool_free(f->pool);
    assert_int_equal(f->closed_n, 1);
    f->pool = conn_pool_new(f->loop);
}

static int listen_on_loopback(struct addr *at)
{
    assert_int_equal(addr_parse("127.0.0.1:0", at), 0);
    int fd = sock_listen(at, false, 16);
    assert_true(fd >= 0);
    assert_int_equal(sock_local(fd, at), 0);
    return fd;
}

static int accept_blocking(int listen_fd)
{
    int fd;
    do
        fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK);
    while (fd < 0 && errno == EAGAIN);
    assert_true(fd >= 0);
    return fd;
}

static void dials_and_sends_what_was_queued_before(void **state)
{
    struct fixture *f = *state;
    struct buf in = {0};
    struct addr at;
    int listen_fd = listen_on_loopback(&at);
    f->conn = conn_dial(f->pool, &at, &f->conf, &f->events, f);
    assert_non_null(f->conn);
    assert_int_equal(f->opened_n, 0);
    assert_int_equal(conn_send(f->conn, span_str("early")), 0);
    FIXTURE_TURN_UNTIL(f, f->opened_n && conn_queued(f->conn) == 0);
    f->peer_fd = accept_blocking(listen_fd);
    close(listen_fd);
    FIXTURE_TURN_UNTIL(f, !fixture_peer_read(f, &in) || in.len);
    assert_buf_is(&in, "early");
    assert_int_equal(conn_peer(f->conn)->port, at.port);
    buf_fini(&in);
}

static void a_refused_dial_is_told_by_on_close(void **state)
{
    struct fixture *f = *state;
    struct addr at;
    close(listen_on_loopback(&at));
    f->conn = conn_dial(f->pool, &at, &f->conf, &f->events, f);
    if (!f->conn)
        return; /* the kernel may refuse at once */
    assert_int_equal(f->closed_n, 0);
    FIXTURE_TURN_UNTIL(f, f->closed_n);
    assert_int_equal(f->why, -ECONNREFUSED);
    assert_int_equal(f->opened_n, 0);
}

static void closing_while_it_connects_still_sends(void **state)
{
    struct fixture *f = *state;
    struct buf in = {0};
    struct addr at;
    int listen_fd = listen_on_loopback(&at);
    f->conn = conn_dial(f->pool, &at, &f->conf, &f->events, f);
    assert_non_null(f->conn);
    assert_int_equal(conn_send(f->conn, span_str("one shot")), 0);
    conn_close(f->conn);
    FIXTURE_TURN_UNTIL(f, f->closed_n);
    assert_int_equal(f->opened_n, 0);
    f->peer_fd = accept_blocking(listen_fd);
    close(listen_fd);
    FIXTURE_TURN_UNTIL(f, !fixture_peer_read(f, &in));
    assert_buf_is(&in, "one shot");
    buf_fini(&in);
}

/* The peer has sent bytes that nobody will read. Closing at once would reset the connection, and
 * the reset may overtake our goodbye in the peer's buffers. */
static void unread_input_does_not_eat_the_goodbye(void **state)
{
    struct fixture *f = *state;
    struct buf in = {0};
    struct addr at;
    int listen_fd = listen_on_loopback(&at);
    int fd = sock_connect(&at);
    assert_true(fd >= 0);
    f->peer_fd = fd;
    int accepted_fd = accept_blocking(listen_fd);
    close(listen_fd);
    f->conn = fixture_adopt(f, accepted_fd);
    fixture_turn(f);
    assert_int_equal(conn_send(f->conn, span_str("goodbye")), 0);
    conn_close(f->conn);
    fixture_peer_write(f, "nobody reads this");
    fixture_turn(f);
    assert_int_equal(f->closed_n, 1);
    fixture_peer_write(f, "nor this");
    fixture_turn(f);
    FIXTURE_TURN_UNTIL(f, !fixture_peer_read(f, &in)); /* an end, not ECONNRESET */
    assert_buf_is(&in, "goodbye");
    buf_fini(&in);
}

static void start_fake_clock(struct fixture *f)
{
    fake_clock_start(loop_now_ms(f->loop) + 1);
    fixture_turn(f);
}

static void closing_gives_up_at_its_deadline(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    f->conf.close_timeout_ms = 500;
    start_fake_clock(f);
    uint8_t *block = mem_zalloc(1 << 20);
    for (int i = 0; i < 4; i++)
        if (conn_send(f->conn, span_of(block, 1 << 20)) < 0)
            break;
    mem_free(block);
    conn_close(f->conn);
    fixture_turn(f);
    assert_int_equal(f->closed_n, 0); /* the peer does not read */
    fake_clock_advance(499);
    fixture_turn(f);
    assert_int_equal(f->closed_n, 0);
    fake_clock_advance(1);
    fixture_turn(f);
    fake_clock_stop();
    assert_int_equal(f->closed_n, 1);
}

static void the_owners_deadline_comes_once(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    start_fake_clock(f);
    conn_set_deadline(f->conn, 50);
    conn_set_deadline(f->conn, 100); /* moves it */
    fake_clock_advance(99);
    fixture_turn(f);
    assert_int_equal(f->deadline_n, 0);
    fake_clock_advance(1);
    fixture_turn(f);
    assert_int_equal(f->deadline_n, 1);
    conn_set_deadline(f->conn, 10);
    conn_set_deadline(f->conn, 0);
    fake_clock_advance(1000);
    fixture_turn(f);
    fake_clock_stop();
    assert_int_equal(f->deadline_n, 1);
    assert_int_equal(f->closed_n, 0);
}

/* A transport whose handshake never ends. */
static int endless_handshake(void *state, int fd, unsigned *wants)
{
    *wants = LOOP_READ;
    return -EAGAIN;
}

static void count_free(void *state)
{
    ++*(int *)state;
}

static void a_handshake_has_a_deadline(void **state)
{
    struct fixture *f = *state;
    struct transport endless = plain_transport;
    int freed_n = 0;
    int fds[2];
    endless.handshake = endless_handshake;
    endless.free = count_free;
    f->conf.handshake_timeout_ms = 300;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    f->peer_fd = fds[1];
    start_fake_clock(f);
    f->conn = conn_new(f->pool, fds[0], NULL, &endless, &freed_n, &f->conf, &f->events, f);
    assert_non_null(f->conn);
    fixture_peer_write(f, "x");
    fake_clock_advance(299);
    fixture_turn(f);
    assert_int_equal(f->closed_n, 0);
    fake_clock_advance(1);
    fixture_turn(f);
    fake_clock_stop();
    assert_int_equal(f->closed_n, 1);
    assert_int_equal(f->why, GW_ETIMEOUT);
    assert_int_equal(f->opened_n, 0);
    assert_int_equal(freed_n, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(opens_and_carries_bytes_both_ways),
        FIXTURE_TEST(the_peers_end_closes_after_its_bytes),
        FIXTURE_TEST(a_half_closed_peer_gets_what_is_queued),
        FIXTURE_TEST(close_flushes_first),
        FIXTURE_TEST(destroy_drops_the_queue),
        FIXTURE_TEST(closing_inside_a_callback_is_fine),
        FIXTURE_TEST(destroying_inside_a_callback_is_fine),
        FIXTURE_TEST(an_error_of_on_bytes_closes_after_flushing),
        FIXTURE_TEST(freeing_the_pool_closes_what_is_open),
        FIXTURE_TEST(dials_and_sends_what_was_queued_before),
        FIXTURE_TEST(a_refused_dial_is_told_by_on_close),
        FIXTURE_TEST(closing_while_it_connects_still_sends),
        FIXTURE_TEST(unread_input_does_not_eat_the_goodbye),
        FIXTURE_TEST(closing_gives_up_at_its_deadline),
        FIXTURE_TEST(the_owners_deadline_comes_once),
        FIXTURE_TEST(a_handshake_has_a_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

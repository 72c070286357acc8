/* Input of a connection: rests that come again, limits, pausing, fairness. */
#include "unit/net/conn_fixture.h"

static void an_unused_rest_comes_again_with_more_behind_it(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    f->use_max = 2;
    fixture_peer_write(f, "abcde");
    fixture_turn(f);
    assert_buf_is(&f->got, "ab");
    fixture_turn(f); /* not before there is more */
    assert_int_equal(f->bytes_n, 1);
    f->use_max = 0;
    fixture_peer_write(f, "fg");
    fixture_turn(f);
    assert_buf_is(&f->got, "abcdefg");
}

/* Uses records of random length whole or not at all, as a codec does, and checks the sequence. */
struct records {
    uint64_t seen_bytes;
    uint32_t seed;
    size_t want; /* length of the next record */
};

static struct records records;

static uint8_t byte_at(uint64_t pos)
{
    return (uint8_t)(pos * 31 + (pos >> 8) * 7);
}

static ssize_t use_records(struct conn *c, void *owner, uint8_t *at, size_t len)
{
    size_t used = 0;
    while (len - used >= records.want) {
        for (size_t i = 0; i < records.want; i++)
            if (at[used + i] != byte_at(records.seen_bytes + i))
                fail_msg("byte %llu is wrong", (unsigned long long)(records.seen_bytes + i));
        used += records.want;
        records.seen_bytes += records.want;
        records.seed = records.seed * 1103515245 + 12345;
        /* mostly short, sometimes longer than the shared buffer */
        unsigned shift = (records.seed >> 8) % 20;
        records.want = 1 + (records.seed >> 4) % (1U << shift);
    }
    return (ssize_t)used;
}

static void records_of_any_length_arrive_whole_and_in_order(void **state)
{
    enum { TOTAL = 24 << 20 };
    struct fixture *f = *state;
    uint8_t block[70000];
    uint64_t sent = 0;
    f->events.on_bytes = use_records;
    records = (struct records){.seed = 99, .want = 3};
    fixture_open(f);
    srand(5);
    while (sent < TOTAL) {
        size_t len = 1 + (size_t)rand() % sizeof block;
        for (size_t i = 0; i < len; i++)
            block[i] = byte_at(sent + i);
        ssize_t n = write(f->peer_fd, block, len);
        if (n > 0)
            sent += (uint64_t)n;
        fixture_turn(f);
        assert_int_equal(f->closed_n, 0);
    }
    for (int i = 0; i < 10; i++)
        fixture_turn(f);
    if (records.seen_bytes + records.want <= sent)
        fail_msg("%llu of %llu bytes were handled", (unsigned long long)records.seen_bytes,
                 (unsigned long long)sent);
}

static ssize_t use_nothing(struct conn *c, void *owner, uint8_t *at, size_t len)
{
    return 0;
}

static void too_much_unused_input_closes(void **state)
{
    struct fixture *f = *state;
    f->conf.in_max_bytes = 100;
    f->events.on_bytes = use_nothing;
    fixture_open(f);
    for (int i = 0; i < 10; i++)
        fixture_peer_write(f, "0123456789");
    fixture_turn(f);
    assert_int_equal(f->closed_n, 0);
    fixture_peer_write(f, "!");
    fixture_turn(f);
    assert_int_equal(f->closed_n, 1);
    assert_int_equal(f->why, GW_ETOOBIG);
}

static void a_paused_connection_reads_nothing(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    conn_pause(f->conn);
    conn_pause(f->conn);
    fixture_peer_write(f, "abc");
    fixture_turn(f);
    assert_int_equal(f->bytes_n, 0);
    conn_resume(f->conn);
    fixture_turn(f);
    assert_int_equal(f->bytes_n, 0); /* counted: one more resume is needed */
    assert_true(conn_is_paused(f->conn));
    conn_resume(f->conn);
    FIXTURE_TURN_UNTIL(f, f->got.len == 3);
    assert_buf_is(&f->got, "abc");
}

static void pause_in_callback(struct fixture *f)
{
    conn_pause(f->conn);
}

static void what_a_pause_left_comes_after_the_resume(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    f->use_max = 3;
    f->conf.in_max_bytes = 1; /* does not count while paused */
    f->on_bytes_hook = pause_in_callback;
    fixture_peer_write(f, "abcdefg");
    fixture_turn(f);
    assert_buf_is(&f->got, "abc");
    fixture_turn(f);
    assert_buf_is(&f->got, "abc");
    conn_resume(f->conn);
    assert_buf_is(&f->got, "abc"); /* not from inside the call */
    fixture_turn(f);
    assert_buf_is(&f->got, "abcdef");
    f->use_max = 0;
    conn_resume(f->conn);
    fixture_turn(f);
    assert_buf_is(&f->got, "abcdefg");
}

/* A peer that is gone is seen after resuming, not in every turn before. */
static void a_hang_up_while_paused_waits(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    conn_pause(f->conn);
    fixture_peer_write(f, "last");
    fixture_peer_close(f);
    struct loop_stats stats[2];
    fixture_turn(f);
    loop_stats(f->loop, &stats[0]);
    for (int i = 0; i < 5; i++)
        fixture_turn(f);
    loop_stats(f->loop, &stats[1]);
    assert_int_equal(stats[1].events_n, stats[0].events_n);
    assert_int_equal(f->closed_n, 0);
    conn_resume(f->conn);
    FIXTURE_TURN_UNTIL(f, f->closed_n);
    assert_buf_is(&f->got, "last");
    assert_int_equal(f->why, GW_ECLOSED);
}

/* A source that never ends: another connection is served in the same turn all the same. */
static size_t endless_n;

static ssize_t endless_read(void *state, int fd, uint8_t *at, size_t len, unsigned *wants)
{
    *wants = LOOP_READ;
    endless_n++;
    at[0] = 'x';
    return (ssize_t)len;
}

/* The kernel tells once of bytes and the end that come together. */
static void the_end_right_behind_the_bytes_is_noticed(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    fixture_peer_write(f, "last words");
    assert_int_equal(shutdown(f->peer_fd, SHUT_WR), 0);
    FIXTURE_TURN_UNTIL(f, f->closed_n);
    assert_buf_is(&f->got, "last words");
    assert_int_equal(f->why, GW_ECLOSED);
}

static void the_end_that_came_while_paused_is_noticed(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    conn_pause(f->conn);
    fixture_peer_write(f, "last words");
    assert_int_equal(shutdown(f->peer_fd, SHUT_WR), 0);
    fixture_turn(f);
    assert_int_equal(f->bytes_n, 0);
    conn_resume(f->conn);
    FIXTURE_TURN_UNTIL(f, f->closed_n);
    assert_buf_is(&f->got, "last words");
}

static void an_endless_source_does_not_hold_the_turn(void **state)
{
    struct fixture *f = *state;
    struct transport endless = plain_transport;
    int fds[2];
    endless.read = endless_read;
    endless.has_own_input = true;
    fixture_open(f);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    struct fixture second = {
        .loop = f->loop, .pool = f->pool, .conf = f->conf, .events = f->events, .peer_fd = fds[1]};
    second.conn =
        conn_new(f->pool, fds[0], NULL, &endless, NULL, &second.conf, &second.events, &second);
    assert_non_null(second.conn);
    fixture_peer_write(&second, "go");
    fixture_turn(f);
    endless_n = 0;
    fixture_peer_write(f, "me too");
    fixture_turn(f);
    assert_in_range(endless_n, 1, 16);
    assert_buf_is(&f->got, "me too");
    size_t before_n = endless_n;
    fixture_turn(f); /* goes on by itself */
    assert_true(endless_n > before_n);
    conn_destroy(second.conn, 0);
    fixture_turn(f);
    assert_int_equal(second.closed_n, 1);
    close(fds[1]);
    buf_fini(&second.got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(an_unused_rest_comes_again_with_more_behind_it),
        FIXTURE_TEST(records_of_any_length_arrive_whole_and_in_order),
        FIXTURE_TEST(too_much_unused_input_closes),
        FIXTURE_TEST(a_paused_connection_reads_nothing),
        FIXTURE_TEST(what_a_pause_left_comes_after_the_resume),
        FIXTURE_TEST(a_hang_up_while_paused_waits),
        FIXTURE_TEST(the_end_right_behind_the_bytes_is_noticed),
        FIXTURE_TEST(the_end_that_came_while_paused_is_noticed),
        FIXTURE_TEST(an_endless_source_does_not_hold_the_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

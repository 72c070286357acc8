/* What may wait for a slow peer: counted as the memory that it takes, with messages of all sizes.
 */
#include <malloc.h>

#include "net/conn_internal.h"
#include "unit/net/conn_fixture.h"

static uint8_t bytes[1 << 20];

static void open_limited(struct fixture *f, uint64_t limit, bool keeps_messages)
{
    f->conf.out_max_bytes = limit;
    f->conf.limits_memory = true;
    f->conf.keeps_messages = keeps_messages;
    fixture_open(f);
}

static void shrink_send_buffer(const struct fixture *f)
{
    int small = 4096;
    assert_int_equal(setsockopt(conn_fd(f->conn), SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
}

static uint64_t held(const struct conn *c)
{
    return c->out ? sizeof *c->out + c->out->queue.held : 0;
}

/* Encodes as a fan-out does: into what the turn shares, or made to measure. */
static int queue_shared(struct fixture *f, size_t len)
{
    struct chunk *chunk = conn_pool_scratch(f->pool, len);
    uint32_t off = chunk->len;
    memcpy(chunk->at + off, bytes, len);
    chunk->len += (uint32_t)len;
    return conn_queue(f->conn, chunk, off, (uint32_t)len);
}

static int send_some(struct fixture *f, size_t len)
{
    return random() % 2 ? queue_shared(f, len) : conn_send(f->conn, span_of(bytes, len));
}

/* Mostly small ones. */
static size_t any_length(size_t max)
{
    size_t len = 1 + (size_t)random() % (1U << random() % 19);
    return len < max ? len : max;
}

static void read_some(const struct fixture *f)
{
    static uint8_t block[100000];
    ssize_t n = read(f->peer_fd, block, 1 + (size_t)random() % sizeof block);
    assert_true(n > 0 || errno == EAGAIN);
}

/* Messages of many sizes to a peer that reads little: what waits stays within the limit, except for
 * one that is alone, in a chunk up to twice as large. */
static void check_limit(struct fixture *f, uint64_t limit, bool keeps_messages)
{
    enum { STEPS_N = 6000 };
    uint64_t most = limit;
    size_t refused_n = 0;
    open_limited(f, limit, keeps_messages);
    shrink_send_buffer(f);
    srandom((unsigned)limit + keeps_messages);
    for (int step = 0; step < STEPS_N; step++) {
        size_t len = any_length(sizeof bytes);
        int rc = send_some(f, len);
        if (rc == GW_EFULL && keeps_messages && conn_drop_oldest(f->conn, len) > 0)
            rc = send_some(f, len);
        assert_true(rc == 0 || rc == GW_EFULL);
        refused_n += rc == GW_EFULL;
        if (rc == 0 && conn_queued(f->conn) == len)
            most = len > limit / 2 ? limit + 2 * chunk_held_max(len + COMPACT_MIN_BYTES) : limit;
        if (random() % 3 == 0)
            fixture_turn(f);
        if (random() % 20 == 0)
            read_some(f);
        if (f->conn->flags & CONN_STALLED && held(f->conn) > most)
            fail_msg("step %d: %llu of %llu bytes held", step, (unsigned long long)held(f->conn),
                     (unsigned long long)limit);
    }
    assert_true(refused_n > 0);
    conn_destroy(f->conn, 0);
    fixture_turn(f);
    fixture_peer_close(f);
    f->opened_n = f->closed_n = 0;
}

static void what_waits_stays_within_the_limit(void **state)
{
    static const uint64_t limits[] = {1024, 5000, 20000, 65536, 262144, 1024000};
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        check_limit(*state, limits[i], false);
        check_limit(*state, limits[i], true);
    }
}

/* The same broadcasts to many until all are full. The allocator's own count is the witness; what
 * rings and chunks wait for their next use is bounded for all together. */
static void check_crowd(struct fixture *f, size_t len, bool keeps_messages)
{
    enum { N = 60, LIMIT = 256 * 1024, POOLS = 1280 * 1024 };
    static struct fixture slow[N];
    for (int i = 0; i < N; i++) {
        slow[i] = (struct fixture){
            .loop = f->loop, .pool = f->pool, .conf = f->conf, .events = f->events};
        open_limited(&slow[i], LIMIT, keeps_messages);
        shrink_send_buffer(&slow[i]);
    }
    struct mallinfo2 before = mallinfo2();
    size_t full_n = 0;
    for (int round = 0; full_n < N; round++) {
        assert_in_range(round, 0, 20000);
        struct chunk *chunk = conn_pool_scratch(f->pool, len);
        uint32_t off = chunk->len;
        chunk->len += (uint32_t)len;
        full_n = 0;
        for (int i = 0; i < N; i++) {
            int rc = conn_queue(slow[i].conn, chunk, off, (uint32_t)len);
            assert_true(rc == 0 || rc == GW_EFULL);
            full_n += rc == GW_EFULL;
        }
        fixture_turn(f);
    }
    struct mallinfo2 after = mallinfo2(); /* zeros under a sanitizer */
    size_t grown = after.uordblks + after.hblkhd - before.uordblks - before.hblkhd;
    assert_in_range(grown, 0, N * LIMIT + POOLS);
    for (int i = 0; i < N; i++) {
        assert_in_range(held(slow[i].conn), 0, LIMIT);
        if (len > 1000) /* else heads of messages that are kept apart are much of it */
            assert_in_range(conn_queued(slow[i].conn), LIMIT * 3 / 4, LIMIT);
        conn_destroy(slow[i].conn, 0);
        close(slow[i].peer_fd);
    }
    fixture_turn(f);
}

static void the_memory_of_many_is_the_sum_of_their_limits(void **state)
{
    static const size_t lengths[] = {50, 1100, 8206, 20000, 40000};
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        check_crowd(*state, lengths[i], false);
        check_crowd(*state, lengths[i], true);
    }
}

static void what_one_turn_brings_is_no_sign_of_a_slow_peer(void **state)
{
    struct fixture *f = *state;
    struct buf in = {0};
    open_limited(f, 10000, false);
    for (int i = 0; i < 100; i++)
        assert_int_equal(send_some(f, 1000), 0);
    fixture_turn(f);
    assert_true(fixture_peer_read(f, &in));
    assert_int_equal(in.len, 100000);
    assert_memory_equal(in.at, bytes, in.len);
    assert_false(conn_is_full(f->conn));
    buf_fini(&in);
}

static void a_message_beyond_the_limit_passes_alone(void **state)
{
    struct fixture *f = *state;
    open_limited(f, 10000, false);
    shrink_send_buffer(f);
    assert_int_equal(conn_send(f->conn, span_of(bytes, 100)), 0); /* leaves before it */
    assert_int_equal(conn_send(f->conn, span_of(bytes, 500000)), 0);
    assert_int_equal(conn_send(f->conn, span_of(bytes, 1)), GW_EFULL);
    assert_true(conn_is_full(f->conn));
    for (size_t left = 500100; left > 0;) {
        ssize_t n = read(f->peer_fd, bytes, left);
        left -= n > 0 ? (size_t)n : 0;
        fixture_turn(f);
    }
    assert_int_equal(conn_send(f->conn, span_of(bytes, 1)), 0);
}

static void a_peer_that_left_is_found_out_in_time(void **state)
{
    struct fixture *f = *state;
    open_limited(f, 10000, false);
    conn_pause(f->conn);
    fixture_peer_close(f);
    int rc = 0;
    for (int i = 0; i < 20 && rc == 0; i++)
        rc = conn_send(f->conn, span_of(bytes, 1000));
    assert_int_equal(rc, GW_ECLOSED);
    assert_int_equal(f->closed_n, 0); /* never from inside the call */
    fixture_turn(f);
    assert_int_equal(f->closed_n, 1);
    assert_int_equal(f->why, -EPIPE);
}

/* --- what is asked before the bytes are there --- */

enum sort { PLAIN, MEMORY, MESSAGES, SORTS_N };

static void open_sort(struct fixture *f, enum sort sort, uint64_t limit)
{
    open_limited(f, limit, sort == MESSAGES);
    f->conf.limits_memory = sort != PLAIN; /* conf is read whenever something is queued */
}

static void end_sort(struct fixture *f)
{
    conn_destroy(f->conn, 0);
    fixture_turn(f);
    fixture_peer_close(f);
    f->opened_n = f->closed_n = 0;
}

/* Whoever asked first gets what whoever sends gets: the same answer, and as many bytes queued. */
static void check_admission(struct fixture *f, enum sort sort, uint64_t limit)
{
    enum { STEPS_N = 600 };
    size_t refused_n = 0;
    open_sort(f, sort, limit);
    shrink_send_buffer(f);
    srandom((unsigned)limit + sort);
    for (int step = 0; step < STEPS_N; step++) {
        uint32_t len = (uint32_t)any_length(3 * limit);
        int admitted = conn_admits(f->conn, len);
        uint64_t before = conn_queued(f->conn);
        struct chunk *chunk = conn_pool_scratch(f->pool, len);
        uint32_t off = chunk->len;
        chunk->len += len;
        if (admitted == 0 && step % 2)
            conn_queue_admitted(f->conn, chunk, off, len);
        else
            assert_int_equal(conn_queue(f->conn, chunk, off, len), admitted);
        assert_int_equal(conn_queued(f->conn), before + (admitted == 0 ? len : 0));
        refused_n += admitted == GW_EFULL;
        if (random() % 3 == 0)
            fixture_turn(f);
        if (random() % 8 == 0)
            read_some(f);
    }
    assert_true(refused_n > 0);
    end_sort(f);
}

static void what_is_asked_before_is_what_is_answered(void **state)
{
    static const uint64_t limits[] = {1024, 20000, 262144};
    for (size_t i = 0; i < ARRAY_LEN(limits); i++)
        for (int sort = PLAIN; sort < SORTS_N; sort++)
            check_admission(*state, (enum sort)sort, limits[i]);
}

/* Nothing waits: what a message weighs is not asked, whether the queue has been used or not. */
static void check_that_anything_passes(struct fixture *f, enum sort sort)
{
    struct buf in = {0};
    open_sort(f, sort, 1000);
    assert_int_equal(conn_admits(f->conn, sizeof bytes), 0);
    conn_want_drain(f->conn, 0); /* keeps the memory of output, with none in it */
    assert_int_equal(conn_admits(f->conn, sizeof bytes), 0);
    assert_int_equal(conn_send(f->conn, span_of(bytes, 900)), 0);
    fixture_turn(f);
    assert_true(fixture_peer_read(f, &in));
    assert_int_equal(in.len, 900);
    assert_int_equal(conn_admits(f->conn, sizeof bytes), 0);
    conn_close(f->conn);
    assert_int_equal(conn_admits(f->conn, 1), GW_ECLOSED);
    assert_int_equal(conn_admits(f->conn, 0), GW_ECLOSED);
    buf_fini(&in);
    FIXTURE_TURN_UNTIL(f, f->closed_n == 1);
    fixture_peer_close(f);
    f->opened_n = f->closed_n = 0;
}

static void where_nothing_waits_anything_passes(void **state)
{
    for (int sort = PLAIN; sort < SORTS_N; sort++)
        check_that_anything_passes(*state, (enum sort)sort);
}

static void stall_with_little(struct fixture *f)
{
    shrink_send_buffer(f);
    while (!(f->conn->flags & CONN_STALLED && conn_queued(f->conn) > 0)) {
        assert_int_equal(conn_send(f->conn, span_of(bytes, 100)), 0);
        fixture_turn(f);
    }
}

static uint64_t most_that_has_room(const struct conn *c)
{
    uint64_t fits = 0;
    for (uint64_t step = 1 << 20; step > 0; step /= 2)
        fits += conn_has_room(c, fits + step) ? step : 0;
    return fits;
}

/* What is promised holds at the very edge, also for a peer that takes nothing meanwhile. */
static void check_promise(struct fixture *f, enum sort sort, uint64_t limit, bool is_stalled)
{
    open_sort(f, sort, limit);
    if (is_stalled)
        stall_with_little(f);
    uint64_t fits = most_that_has_room(f->conn);
    assert_in_range(fits, limit / 4, limit);
    for (uint64_t left = fits; left > 0;) {
        size_t len = sort == PLAIN ? any_length(left) : left;
        if (conn_send(f->conn, span_of(bytes, len)) < 0)
            fail_msg("sort %d: %llu of %llu promised bytes do not fit", sort,
                     (unsigned long long)left, (unsigned long long)fits);
        left -= len;
    }
    if (sort == PLAIN) /* memory is counted as the most that it may be */
        assert_int_equal(most_that_has_room(f->conn), 0);
    end_sort(f);
}

static void what_has_room_fits(void **state)
{
    static const uint64_t limits[] = {5000, 65536, 1024000};
    srandom(7);
    for (size_t i = 0; i < ARRAY_LEN(limits); i++)
        for (int sort = PLAIN; sort < SORTS_N; sort++) {
            check_promise(*state, (enum sort)sort, limits[i], false);
            check_promise(*state, (enum sort)sort, limits[i], true);
        }
}

static void without_a_limit_there_is_always_room(void **state)
{
    struct fixture *f = *state;
    for (int sort = PLAIN; sort < SORTS_N; sort++) {
        open_sort(f, (enum sort)sort, 0);
        shrink_send_buffer(f);
        for (int i = 0; i < 3; i++) {
            assert_true(conn_has_room(f->conn, UINT64_MAX));
            assert_int_equal(conn_admits(f->conn, sizeof bytes), 0);
            assert_int_equal(conn_send(f->conn, span_of(bytes, sizeof bytes)), 0);
            assert_false(conn_is_full(f->conn));
            fixture_turn(f);
        }
        end_sort(f);
    }
}

int main(void)
{
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i % 1000 * 7);
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(what_waits_stays_within_the_limit),
        FIXTURE_TEST(the_memory_of_many_is_the_sum_of_their_limits),
        FIXTURE_TEST(what_one_turn_brings_is_no_sign_of_a_slow_peer),
        FIXTURE_TEST(a_message_beyond_the_limit_passes_alone),
        FIXTURE_TEST(a_peer_that_left_is_found_out_in_time),
        FIXTURE_TEST(what_is_asked_before_is_what_is_answered),
        FIXTURE_TEST(where_nothing_waits_anything_passes),
        FIXTURE_TEST(what_has_room_fits),
        FIXTURE_TEST(without_a_limit_there_is_always_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

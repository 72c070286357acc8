/* Output of a connection: order, partial writes, limits, drain marks, slow peers, no allocation. */
#include "support/allocs.h"
#include "unit/net/conn_fixture.h"

enum { BLOCK = 4096 };

static uint8_t byte_at(uint64_t pos)
{
    return (uint8_t)(pos * 13 + (pos >> 9) * 5);
}

static void fill(uint8_t *to, uint64_t pos, size_t len)
{
    for (size_t i = 0; i < len; i++)
        to[i] = byte_at(pos + i);
}

/* Reads at most max bytes at the peer and checks that they continue the sequence. */
static void peer_check(struct fixture *f, uint64_t *received, size_t max)
{
    uint8_t block[BLOCK];
    while (max > 0) {
        ssize_t n = read(f->peer_fd, block, max < sizeof block ? max : sizeof block);
        if (n <= 0)
            return;
        for (ssize_t i = 0; i < n; i++)
            if (block[i] != byte_at(*received + (uint64_t)i))
                fail_msg("byte %llu is wrong", (unsigned long long)*received + (uint64_t)i);
        *received += (uint64_t)n;
        max -= (size_t)n;
    }
}

static void shrink_send_buffer(struct fixture *f)
{
    int bytes = 4096;
    assert_int_equal(setsockopt(conn_fd(f->conn), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes), 0);
}

/* One message of a random kind and length, counted in *sent when it was queued. */
static void send_random(struct fixture *f, uint64_t *sent)
{
    static uint8_t block[100000];
    size_t len = 1 + (size_t)rand() % (1U << (rand() % 17));
    int rc = 0;
    fill(block, *sent, len);
    switch (rand() % 3) {
    case 0:
        rc = conn_send(f->conn, span_of(block, len));
        break;
    case 1: {
        struct chunk *chunk = conn_pool_scratch(f->pool, len);
        uint32_t off = chunk->len;
        memcpy(chunk->at + off, block, len);
        chunk->len += (uint32_t)len;
        rc = conn_queue(f->conn, chunk, off, (uint32_t)len);
        break;
    }
    default:
        if (conn_is_full(f->conn)) {
            rc = GW_EFULL;
            break;
        }
        memcpy(conn_reserve(f->conn, len + 7), block, len);
        conn_commit(f->conn, len);
    }
    if (rc == 0)
        *sent += len;
    else
        assert_int_equal(rc, GW_EFULL);
}

/* Bytes that can wait do, until others go or they are pushed; the order stays. */
static void quiet_bytes_wait_for_others(void **state)
{
    struct fixture *f = *state;
    char got[16];
    f->conf.is_bulk = true;
    fixture_open(f);
    memcpy(conn_reserve(f->conn, 1), "a", 1);
    conn_commit_quietly(f->conn, 1);
    fixture_turn(f);
    assert_false(conn_is_pushed(f->conn));
    assert_int_equal(conn_queued(f->conn), 1);
    assert_int_equal(recv(f->peer_fd, got, sizeof(got), 0), -1);
    memcpy(conn_reserve(f->conn, 1), "b", 1);
    conn_commit(f->conn, 1);
    assert_true(conn_is_pushed(f->conn));
    fixture_turn(f);
    assert_int_equal(recv(f->peer_fd, got, sizeof(got), 0), 2);
    assert_memory_equal(got, "ab", 2);
    memcpy(conn_reserve(f->conn, 1), "c", 1);
    conn_commit_quietly(f->conn, 1);
    conn_push(f->conn);
    fixture_turn(f);
    assert_int_equal(recv(f->peer_fd, got, sizeof(got), 0), 1);
    memcpy(conn_reserve(f->conn, 1), "d", 1);
    conn_commit_quietly(f->conn, 1);
    conn_close(f->conn); /* what waits is not lost */
    FIXTURE_TURN_UNTIL(f, f->closed_n == 1);
    assert_int_equal(recv(f->peer_fd, got, sizeof(got), 0), 1);
}

static void check_order(struct fixture *f, bool is_bulk)
{
    enum { TOTAL = 16 << 20 };
    uint64_t sent = 0;
    uint64_t received = 0;
    f->conf.is_bulk = is_bulk;
    fixture_open(f);
    shrink_send_buffer(f);
    srand(11);
    while (sent < TOTAL) {
        for (int i = rand() % 20; i > 0; i--)
            send_random(f, &sent);
        assert_int_equal(loop_turn(f->loop, 0), 0);
        peer_check(f, &received, (size_t)rand() % 200000);
        assert_int_equal(f->closed_n, 0);
    }
    while (received < sent) {
        assert_int_equal(loop_turn(f->loop, 0), 0);
        peer_check(f, &received, SIZE_MAX);
    }
    assert_int_equal(conn_queued(f->conn), 0);
}

static void bytes_arrive_in_order_in_spite_of_partial_writes(void **state)
{
    check_order(*state, false);
}

static void a_bulk_connection_keeps_the_order_too(void **state)
{
    check_order(*state, true);
}

static void more_segments_than_one_call_takes(void **state)
{
    enum { N = 5000 };
    struct fixture *f = *state;
    struct buf in = {0};
    fixture_open(f);
    struct chunk *letters = chunk_new(conn_pool_chunks(f->pool), 26);
    memcpy(letters->at, "abcdefghijklmnopqrstuvwxyz", 26);
    letters->len = 26;
    for (uint32_t i = 0; i < N; i++) /* backwards, so that nothing is joined */
        assert_int_equal(conn_queue(f->conn, letters, 25 - i % 26, 1), 0);
    chunk_unref(letters);
    assert_int_equal(conn_queued(f->conn), N);
    fixture_turn(f);
    assert_true(fixture_peer_read(f, &in));
    assert_int_equal(in.len, N);
    for (uint32_t i = 0; i < N; i++)
        assert_int_equal(in.at[i], 'z' - (int)(i % 26));
    buf_fini(&in);
}

static void one_message_passes_below_the_limit_and_none_at_it(void **state)
{
    struct fixture *f = *state;
    uint8_t block[1000] = {0};
    f->conf.out_max_bytes = 1500;
    fixture_open(f);
    assert_false(conn_is_full(f->conn));
    assert_int_equal(conn_send(f->conn, span_of(block, 1000)), 0);
    assert_int_equal(conn_send(f->conn, span_of(block, 1000)), 0);
    assert_int_equal(conn_send(f->conn, span_of(block, 1000)), GW_EFULL);
    struct chunk *chunk = conn_pool_scratch(f->pool, 1);
    assert_int_equal(conn_queue(f->conn, chunk, 0, 1), GW_EFULL);
    assert_true(conn_is_full(f->conn));
    assert_int_equal(conn_queued(f->conn), 2000);
    fixture_turn(f);
    assert_int_equal(conn_send(f->conn, span_of(block, 1)), 0);
}

static void drain_is_told_once_at_its_mark(void **state)
{
    enum { QUEUED = 900000, LOW = 100000 };
    struct fixture *f = *state;
    uint64_t received = 0;
    uint8_t *block = mem_alloc(QUEUED);
    fixture_open(f);
    shrink_send_buffer(f);
    fill(block, 0, QUEUED);
    assert_int_equal(conn_send(f->conn, span_of(block, QUEUED)), 0);
    mem_free(block);
    conn_want_drain(f->conn, LOW);
    while (conn_queued(f->conn) > LOW) {
        assert_int_equal(f->drained_n, 0);
        fixture_turn(f);
        peer_check(f, &received, BLOCK);
    }
    assert_int_equal(f->drained_n, 1);
    while (received < QUEUED) {
        fixture_turn(f);
        peer_check(f, &received, BLOCK);
    }
    assert_int_equal(f->drained_n, 1);
    conn_want_drain(f->conn, 0); /* has fallen already: in this turn's flush */
    assert_int_equal(f->drained_n, 1);
    fixture_turn(f);
    assert_int_equal(f->drained_n, 2);
}

static int refills_n;

/* A source that never ends must leave the turn to others now and then. */
static void refill(struct conn *c, void *owner)
{
    refills_n++;
    assert_int_equal(conn_send(c, span_str("x")), 0);
    conn_want_drain(c, 0);
}

static void endless_refilling_does_not_hold_the_turn(void **state)
{
    struct fixture *f = *state;
    struct buf in = {0};
    f->events.on_drain = refill;
    fixture_open(f);
    refills_n = 0;
    conn_want_drain(f->conn, 0);
    fixture_turn(f);
    assert_in_range(refills_n, 1, 100);
    int before_n = refills_n;
    fixture_turn(f);
    assert_true(refills_n > before_n);
    assert_true(fixture_peer_read(f, &in));
    buf_fini(&in);
}

/* 100 peers that do not read, each left with a few bytes: their rests must not pin whole chunks. */
static void slow_peers_do_not_pin_chunks(void **state)
{
    enum { N = 100 };
    struct fixture *f = *state;
    static struct fixture slow[N];
    static uint8_t block[300000];
    fixture_open(f);
    size_t before = chunk_pool_bytes(conn_pool_chunks(f->pool));
    for (int i = 0; i < N; i++) {
        slow[i] = (struct fixture){
            .loop = f->loop, .pool = f->pool, .conf = f->conf, .events = f->events};
        slow[i].conf.out_max_bytes = 0;
        fixture_open(&slow[i]);
        assert_int_equal(conn_send(slow[i].conn, span_of(block, sizeof block)), 0);
        fixture_turn(f); /* stalls; now some more messages, each in another part of a chunk */
        for (int k = 0; k < 50; k++) {
            struct chunk *chunk = conn_pool_scratch(f->pool, 60000);
            uint32_t off = chunk->len;
            chunk->len += 60000;
            assert_int_equal(conn_queue(slow[i].conn, chunk, off, 100), 0);
            fixture_turn(f);
        }
    }
    uint64_t queued = 0;
    for (int i = 0; i < N; i++)
        queued += conn_queued(slow[i].conn);
    size_t held = chunk_pool_bytes(conn_pool_chunks(f->pool)) - before;
    if (held > 4 * queued)
        fail_msg("%zu bytes held for %llu queued", held, (unsigned long long)queued);
    for (int i = 0; i < N; i++) {
        conn_destroy(slow[i].conn, 0);
        close(slow[i].peer_fd);
    }
    fixture_turn(f);
}

static void echo_input(struct fixture *f)
{
    assert_int_equal(conn_send(f->conn, buf_span(&f->got)), 0);
    buf_clear(&f->got);
}

static void an_echo_allocates_nothing_once_warm(void **state)
{
    struct fixture *f = *state;
    char text[200] = {0};
    struct allocs mark = {0};
    fixture_open(f);
    f->on_bytes_hook = echo_input;
    for (int i = 0; i < 1100; i++) {
        if (i == 100)
            mark = allocs_mark();
        ssize_t len = 1 + i % 200;
        assert_int_equal(write(f->peer_fd, text, (size_t)len), len);
        fixture_turn(f);
        assert_int_equal(read(f->peer_fd, text, sizeof text), len);
    }
    assert_int_equal(allocs_since(mark), 0);
}

/* Output to many in one turn: several messages in each queue, through rings that are reused. */
static void a_fan_out_allocates_nothing_once_warm(void **state)
{
    enum { N = 50, MESSAGES = 12 };
    struct fixture *f = *state;
    static struct fixture members[N];
    uint8_t text[2 * MESSAGES * 10];
    struct allocs mark = {0};
    for (int i = 0; i < N; i++) {
        members[i] = (struct fixture){
            .loop = f->loop, .pool = f->pool, .conf = f->conf, .events = f->events};
        fixture_open(&members[i]);
    }
    for (int round = 0; round < 200; round++) {
        if (round == 20)
            mark = allocs_mark();
        for (int k = 0; k < MESSAGES; k++) {
            struct chunk *chunk = conn_pool_scratch(f->pool, 20);
            uint32_t off = chunk->len;
            memset(chunk->at + off, 'a' + k, 20);
            chunk->len += 20;
            for (int i = 0; i < N; i++) /* two groups: every other message, so nothing is joined */
                if (i % 2 == k % 2)
                    assert_int_equal(conn_queue(members[i].conn, chunk, off, 20), 0);
        }
        assert_int_equal(loop_turn(f->loop, 0), 0);
        for (int i = 0; i < N; i++)
            assert_int_equal(read(members[i].peer_fd, text, sizeof text), MESSAGES / 2 * 20);
    }
    assert_int_equal(allocs_since(mark), 0);
    for (int i = 0; i < N; i++) {
        conn_destroy(members[i].conn, 0);
        close(members[i].peer_fd);
    }
    fixture_turn(f);
}

static void a_message_larger_than_a_chunk_passes(void **state)
{
    enum { LEN = 3 << 20 };
    struct fixture *f = *state;
    uint64_t received = 0;
    uint8_t *block = mem_alloc(LEN);
    fixture_open(f);
    fill(block, 0, LEN);
    assert_int_equal(conn_send(f->conn, span_of(block, LEN)), 0);
    mem_free(block);
    while (received < LEN) {
        fixture_turn(f);
        peer_check(f, &received, SIZE_MAX);
    }
    assert_int_equal(received, LEN);
    /* Only the scratch chunk is left, the large one is gone. */
    assert_in_range(chunk_pool_bytes(conn_pool_chunks(f->pool)), 0, 4 * 65536);
}

struct late_queue {
    struct task task;
    struct fixture *f;
    struct chunk *chunk;
    uint32_t off;
};

static void queue_late(struct task *t)
{
    struct late_queue *late = CONTAINER_OF(t, struct late_queue, task);
    struct chunk *chunk = conn_pool_scratch(late->f->pool, 5);
    uint32_t off = chunk->len;
    memcpy(chunk->at + off, "after", 5);
    chunk->len += 5;
    assert_int_equal(conn_queue(late->f->conn, late->chunk, late->off, 6), 0);
    assert_int_equal(conn_queue(late->f->conn, chunk, off, 5), 0);
}

/* Encoded before the connections' flush, queued by a task of the same phase that runs after it. */
static void scratch_bytes_stay_for_the_whole_turn(void **state)
{
    struct fixture *f = *state;
    struct buf in = {0};
    fixture_open(f);
    conn_want_drain(f->conn, 0); /* queues the pool's flush first */
    struct late_queue late = {.task.run = queue_late, .f = f};
    late.chunk = conn_pool_scratch(f->pool, 6);
    late.off = late.chunk->len;
    memcpy(late.chunk->at + late.off, "before", 6);
    late.chunk->len += 6;
    loop_at_flush(f->loop, &late.task);
    fixture_turn(f);
    fixture_turn(f);
    assert_true(fixture_peer_read(f, &in));
    assert_buf_is(&in, "beforeafter");
    buf_fini(&in);
}

static void a_vanished_peer_ends_the_connection(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    conn_pause(f->conn); /* so that only the write can find out */
    fixture_peer_close(f);
    assert_int_equal(conn_send(f->conn, span_str("anyone?")), 0);
    FIXTURE_TURN_UNTIL(f, f->closed_n);
    assert_int_equal(f->why, -EPIPE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(bytes_arrive_in_order_in_spite_of_partial_writes),
        FIXTURE_TEST(a_bulk_connection_keeps_the_order_too),
        FIXTURE_TEST(more_segments_than_one_call_takes),
        FIXTURE_TEST(quiet_bytes_wait_for_others),
        FIXTURE_TEST(one_message_passes_below_the_limit_and_none_at_it),
        FIXTURE_TEST(drain_is_told_once_at_its_mark),
        FIXTURE_TEST(endless_refilling_does_not_hold_the_turn),
        FIXTURE_TEST(slow_peers_do_not_pin_chunks),
        FIXTURE_TEST(an_echo_allocates_nothing_once_warm),
        FIXTURE_TEST(a_fan_out_allocates_nothing_once_warm),
        FIXTURE_TEST(a_message_larger_than_a_chunk_passes),
        FIXTURE_TEST(scratch_bytes_stay_for_the_whole_turn),
        FIXTURE_TEST(a_vanished_peer_ends_the_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What connections share: who ends with whom, rooms of several sizes, the chunk of a turn. */
#include <fcntl.h>

#include "net/conn_internal.h"
#include "unit/net/conn_fixture.h"

/* A second connection beside that of the fixture. */
static void open_another(struct fixture *f, struct fixture *other)
{
    *other =
        (struct fixture){.loop = f->loop, .pool = f->pool, .conf = f->conf, .events = f->events};
    fixture_open(other);
}

static struct conn *neighbour;
static bool neighbour_was_closing;

static void ask_the_neighbour(struct conn *c, void *owner, int why)
{
    neighbour_was_closing = conn_is_closing(neighbour);
    assert_int_equal(conn_queued(neighbour), 0);
    fixture_on_close(c, owner, why);
}

/* Both end in this turn: whichever is told first, the other's memory is there until it was, too. */
static void ends_of_one_turn_may_look_at_each_other(void **state)
{
    struct fixture *f = *state, other;
    f->events.on_close = ask_the_neighbour;
    fixture_open(f);
    open_another(f, &other);
    neighbour = other.conn;
    conn_destroy(other.conn, 0);
    conn_destroy(f->conn, 0);
    assert_int_equal(conn_pool_len(f->pool), 0); /* they count no more */
    fixture_turn(f);
    assert_true(neighbour_was_closing);
    assert_int_equal(f->closed_n + other.closed_n, 2);
    close(other.peer_fd);
}

static void end_the_neighbour(struct conn *c, void *owner, int why)
{
    fixture_on_close(c, owner, why);
    if (neighbour)
        conn_destroy(neighbour, GW_EFULL);
    neighbour = NULL;
}

static void an_end_may_bring_another(void **state)
{
    struct fixture *f = *state, other;
    f->events.on_close = end_the_neighbour;
    fixture_open(f);
    open_another(f, &other);
    neighbour = other.conn;
    conn_destroy(f->conn, 0);
    FIXTURE_TURN_UNTIL(f, other.closed_n == 1);
    assert_int_equal(other.why, GW_EFULL);
    assert_int_equal(f->closed_n, 1);
    assert_int_equal(conn_pool_len(f->pool), 0);
    close(other.peer_fd);
}

/* Freeing the pool tells all, those that end while it does as well. */
static void freeing_the_pool_tells_everybody_once(void **state)
{
    struct fixture *f = *state, other;
    f->events.on_close = end_the_neighbour;
    fixture_open(f);
    open_another(f, &other);
    neighbour = other.conn;
    conn_pool_free(f->pool);
    assert_int_equal(f->closed_n, 1);
    assert_int_equal(other.closed_n, 1);
    f->pool = NULL;
    close(other.peer_fd);
}

enum { SMALL_ROOM = 16, LARGE_ROOM = 400 };

static size_t small_room(const struct conn_conf *conf)
{
    return SMALL_ROOM;
}

static size_t large_room(const struct conn_conf *conf)
{
    return LARGE_ROOM;
}

static struct conn *adopt_with_room(struct fixture *f, const struct conn_events *events, int *peer)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    *peer = fds[1];
    return conn_new(f->pool, fds[0], NULL, &plain_transport, NULL, &f->conf, events, f);
}

static void check_room(struct fixture *f, const struct conn_events *events, size_t room_bytes)
{
    int peer;
    struct conn *c = adopt_with_room(f, events, &peer);
    static const uint8_t zeros[LARGE_ROOM];
    assert_memory_equal(conn_room(c), zeros, room_bytes);
    assert_ptr_equal(conn_of_room(conn_room(c)), c);
    memset(conn_room(c), 0xee, room_bytes);
    assert_int_equal(conn_pool_len(f->pool), 1);
    conn_destroy(c, 0);
    fixture_turn(f);
    close(peer);
    f->opened_n = f->closed_n = 0;
}

/* Memory is used again by the next of the same size, and what the last one left is gone from it. */
static void each_size_begins_empty(void **state)
{
    struct fixture *f = *state;
    struct conn_events small = f->events, large = f->events;
    small.room_bytes = small_room;
    large.room_bytes = large_room;
    for (int round = 0; round < 3; round++) {
        check_room(f, &small, SMALL_ROOM);
        check_room(f, &large, LARGE_ROOM);
        check_room(f, &f->events, 0);
    }
}

static int frees_n;

static void count_free(void *transport_state)
{
    assert_ptr_equal(transport_state, &frees_n);
    frees_n++;
}

/* A file is always ready, so that epoll takes none. Descriptor and transport are taken anyway. */
static void what_cannot_be_watched_is_taken_anyway(void **state)
{
    struct fixture *f = *state;
    struct transport counting = plain_transport;
    counting.free = count_free;
    frees_n = 0;
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    errno = 0;
    assert_null(conn_new(f->pool, fd, NULL, &counting, &frees_n, &f->conf, &f->events, f));
    assert_int_equal(errno, EPERM);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    assert_int_equal(frees_n, 1);
    assert_int_equal(conn_pool_len(f->pool), 0);
    assert_true(list_is_empty(&f->pool->kinds));
    fixture_turn(f);
    assert_int_equal(f->opened_n + f->closed_n, 0);
}

/* The chunk that a turn encodes into: never less room than was asked for, and what one message
 * lies in is not written over while it waits. */
static void the_shared_chunk_has_the_room_that_was_asked_for(void **state)
{
    static const size_t rooms[] = {1, CHUNK_STD - 1, 1, 1, CHUNK_STD, CHUNK_STD + 1, 300000, 1};
    struct fixture *f = *state;
    struct buf in = {0};
    size_t total = 0;
    f->conf.out_max_bytes = 0;
    fixture_open(f);
    for (size_t i = 0; i < ARRAY_LEN(rooms); i++) {
        struct chunk *chunk = conn_pool_scratch(f->pool, rooms[i]);
        assert_in_range(chunk->cap - chunk->len, rooms[i], UINT32_MAX);
        memset(chunk->at + chunk->len, 'a' + (int)i, rooms[i]);
        chunk->len += (uint32_t)rooms[i];
        total += rooms[i];
        uint32_t off = chunk->len - (uint32_t)rooms[i];
        assert_int_equal(conn_queue(f->conn, chunk, off, (uint32_t)rooms[i]), 0);
    }
    while (in.len < total) {
        fixture_turn(f);
        assert_true(fixture_peer_read(f, &in));
    }
    for (size_t i = 0, at = 0; i < ARRAY_LEN(rooms); at += rooms[i], i++) {
        assert_int_equal(in.at[at], 'a' + i);
        assert_int_equal(in.at[at + rooms[i] - 1], 'a' + i);
    }
    buf_fini(&in);
}

/* The bytes of closed connections stay in the sum. */
static void counts_outlive_connections(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 2; i++) {
        fixture_open(f);
        fixture_peer_write(f, "hello");
        assert_int_equal(conn_send(f->conn, span_str("abc")), 0);
        FIXTURE_TURN_UNTIL(f, f->got.len == 5U * (unsigned)(i + 1));
        fixture_turn(f);
        conn_destroy(f->conn, 0);
        fixture_turn(f);
        fixture_peer_close(f);
        f->opened_n = f->closed_n = 0;
    }
    struct conn_counts counts = conn_pool_counts(f->pool);
    assert_int_equal(counts.read_bytes, 10);
    assert_int_equal(counts.written_bytes, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(ends_of_one_turn_may_look_at_each_other),
        FIXTURE_TEST(an_end_may_bring_another),
        FIXTURE_TEST(freeing_the_pool_tells_everybody_once),
        FIXTURE_TEST(each_size_begins_empty),
        FIXTURE_TEST(what_cannot_be_watched_is_taken_anyway),
        FIXTURE_TEST(the_shared_chunk_has_the_room_that_was_asked_for),
        FIXTURE_TEST(counts_outlive_connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

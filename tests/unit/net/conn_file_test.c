/* conn_file: a file behind queued bytes arrives whole and in order, at the pace of its reader. */
#include "net/conn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <gw/err.h>

#include "base/mem.h"
#include "support/tmpdir.h"

enum { FILE_BYTES = 3 * 1024 * 1024 + 17, HEAD_BYTES = 5, TURNS_MAX = 100000 };

struct scene {
    struct tmpdir dir;
    struct loop *loop;
    struct conn_pool *pool;
    struct conn *conn;
    int reader_fd;
    int drains_n;
    int closes_n;
    int why;
};

static ssize_t on_bytes(struct conn *c, void *owner, uint8_t *at, size_t len)
{
    return (ssize_t)len;
}

static void on_drain(struct conn *c, void *owner)
{
    struct scene *s = owner;
    s->drains_n++;
}

static void on_close(struct conn *c, void *owner, int why)
{
    struct scene *s = owner;
    s->closes_n++;
    s->why = why;
}

static const struct conn_events events = {
    .on_bytes = on_bytes,
    .on_drain = on_drain,
    .on_close = on_close,
};
static const struct conn_conf conf = {.close_timeout_ms = 10000};

static uint8_t byte_at(size_t pos)
{
    return (uint8_t)(pos * 7 + pos / 251);
}

static int open_file(const struct scene *s)
{
    int fd = open(tmpdir_path(&s->dir, "file"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    return fd;
}

static int set_up(void **state)
{
    struct scene *s = mem_zalloc(sizeof *s);
    int fds[2];
    signal(SIGPIPE, SIG_IGN);
    s->dir = tmpdir_make();
    s->loop = loop_new();
    s->pool = conn_pool_new(s->loop);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    const struct addr peer = {.family = AF_UNIX};
    s->conn = conn_new(s->pool, fds[0], &peer, &plain_transport, NULL, &conf, &events, s);
    assert_non_null(s->conn);
    s->reader_fd = fds[1];

    uint8_t *content = mem_alloc(FILE_BYTES);
    for (size_t i = 0; i < FILE_BYTES; i++)
        content[i] = byte_at(i);
    int fd = open_file(s);
    assert_int_equal(write(fd, content, FILE_BYTES), FILE_BYTES);
    close(fd);
    mem_free(content);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;
    if (s->reader_fd >= 0)
        close(s->reader_fd);
    conn_pool_free(s->pool);
    loop_free(s->loop);
    tmpdir_remove(&s->dir);
    mem_free(s);
    return 0;
}

/* Turns the loop and reads until `want` bytes are there or the connection has ended. */
static size_t read_all(struct scene *s, uint8_t *to, size_t want)
{
    size_t got = 0;
    for (int i = 0; i < TURNS_MAX && got < want; i++) {
        loop_turn(s->loop, 0);
        ssize_t n = read(s->reader_fd, to + got, want - got);
        if (n == 0 || (n < 0 && s->closes_n > 0))
            break;
        got += n > 0 ? (size_t)n : 0;
    }
    return got;
}

static void check_content(const uint8_t *got, size_t file_off, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (got[i] != byte_at(file_off + i))
            fail_msg("byte %zu is %u, not %u", i, got[i], byte_at(file_off + i));
}

static void arrives_behind_the_queue(void **state)
{
    struct scene *s = *state;
    uint8_t *got = mem_alloc(HEAD_BYTES + FILE_BYTES);
    assert_int_equal(conn_send(s->conn, span_str("head:")), 0);
    assert_int_equal(conn_send_file(s->conn, open_file(s), 0, FILE_BYTES), 0);
    conn_want_drain(s->conn, 0);
    assert_int_equal(conn_queued(s->conn), HEAD_BYTES + FILE_BYTES);
    assert_int_equal(read_all(s, got, HEAD_BYTES + FILE_BYTES), HEAD_BYTES + FILE_BYTES);
    assert_memory_equal(got, "head:", HEAD_BYTES);
    check_content(got + HEAD_BYTES, 0, FILE_BYTES);
    loop_turn(s->loop, 0);
    assert_int_equal(conn_queued(s->conn), 0);
    assert_int_equal(s->drains_n, 1);

    assert_int_equal(conn_send(s->conn, span_str("next:")), 0);
    assert_int_equal(read_all(s, got, HEAD_BYTES), HEAD_BYTES);
    assert_memory_equal(got, "next:", HEAD_BYTES);
    mem_free(got);
}

static void sends_a_part(void **state)
{
    struct scene *s = *state;
    uint8_t got[64];
    assert_int_equal(conn_send_file(s->conn, open_file(s), 1000, sizeof got), 0);
    assert_int_equal(read_all(s, got, sizeof got), sizeof got);
    check_content(got, 1000, sizeof got);
    assert_int_equal(conn_send_file(s->conn, open_file(s), 0, 0), 0);
    assert_int_equal(conn_queued(s->conn), 0);
}

static void nothing_goes_behind_a_file(void **state)
{
    struct scene *s = *state;
    assert_int_equal(conn_send_file(s->conn, open_file(s), 0, FILE_BYTES), 0);
    assert_int_equal(conn_send_file(s->conn, open_file(s), 0, 1), GW_EFULL);
    assert_int_equal(conn_send(s->conn, span_str("x")), GW_EFULL);
    assert_true(conn_is_full(s->conn));
}

static void closing_sends_it_first(void **state)
{
    struct scene *s = *state;
    uint8_t *got = mem_alloc(FILE_BYTES + 1);
    loop_turn(s->loop, 0);
    assert_int_equal(conn_send_file(s->conn, open_file(s), 0, FILE_BYTES), 0);
    conn_close(s->conn);
    assert_int_equal(conn_send_file(s->conn, open_file(s), 0, 1), GW_ECLOSED);
    assert_int_equal(read_all(s, got, FILE_BYTES + 1), FILE_BYTES);
    check_content(got, 0, FILE_BYTES);
    loop_turn(s->loop, 0);
    assert_int_equal(s->closes_n, 1);
    assert_int_equal(s->why, 0);
    mem_free(got);
}

static void a_file_that_shrinks_ends_the_connection(void **state)
{
    struct scene *s = *state;
    uint8_t *got = mem_alloc(FILE_BYTES);
    int fd = open_file(s);
    assert_int_equal(conn_send_file(s->conn, dup(fd), 0, FILE_BYTES), 0);
    assert_int_equal(ftruncate(fd, 1000), 0);
    close(fd);
    assert_int_equal(read_all(s, got, FILE_BYTES), 1000);
    loop_turn(s->loop, 0);
    assert_int_equal(s->closes_n, 1);
    assert_int_equal(s->why, -EIO);
    mem_free(got);
}

static void a_reader_that_leaves_frees_it(void **state)
{
    struct scene *s = *state;
    assert_int_equal(conn_send_file(s->conn, open_file(s), 0, FILE_BYTES), 0);
    loop_turn(s->loop, 0);
    close(s->reader_fd);
    s->reader_fd = -1;
    for (int i = 0; i < TURNS_MAX && s->closes_n == 0; i++)
        loop_turn(s->loop, 0);
    assert_int_equal(s->closes_n, 1);
    assert_int_equal(conn_pool_len(s->pool), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(arrives_behind_the_queue, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sends_a_part, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_goes_behind_a_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(closing_sends_it_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_shrinks_ends_the_connection, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reader_that_leaves_frees_it, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A process of coroutines in the test's own loop, and a gateway at the other end, played by hand.
 */
#ifndef TEST_MESH_FIXTURE_H
#define TEST_MESH_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <gw/err.h>

#include "base/bytes.h"
#include "client/command.h"
#include "net/sock.h"
#include "support/fake_clock.h"

enum { STACK_BYTES = 64 * 1024, FIBERS_MAX = 16, TURNS_MAX = 5000 };

struct mesh_bench {
    struct loop *loop;
    struct conn_pool *conns;
    struct fibers fibers;
};

static inline void bench_open(struct mesh_bench *b)
{
    fake_clock_start(1000);
    b->loop = loop_new();
    b->conns = conn_pool_new(b->loop);
    assert_int_equal(fibers_init(&b->fibers, STACK_BYTES, FIBERS_MAX), 0);
}

static inline void bench_close(struct mesh_bench *b)
{
    assert_int_equal(fibers_alive_n(&b->fibers), 0);
    fibers_fini(&b->fibers);
    conn_pool_free(b->conns);
    loop_free(b->loop);
    fake_clock_stop();
}

static inline void bench_turn(struct mesh_bench *b, int n)
{
    for (int i = 0; i < n; i++)
        assert_int_equal(loop_turn(b->loop, 1), 0);
}

/* The condition is looked at once per turn, and not again once it holds. */
#define BENCH_TURN_UNTIL(b, condition)                                                             \
    do {                                                                                           \
        bool holds_ = false;                                                                       \
        for (int turns_n_ = 0; turns_n_ < TURNS_MAX && !holds_; turns_n_++) {                      \
            bench_turn(b, 1);                                                                      \
            holds_ = (condition);                                                                  \
        }                                                                                          \
        assert_true(holds_);                                                                       \
    } while (0)

/* ---- the other end ---- */

struct far_end {
    int listener;
    struct addr at;
    char address[ADDR_TEXT_MAX];
};

static inline struct far_end far_end_open(void)
{
    struct far_end e;
    assert_int_equal(addr_parse("127.0.0.1:0", &e.at), 0);
    e.listener = sock_listen(&e.at, false, 16);
    assert_true(e.listener >= 0);
    assert_int_equal(sock_local(e.listener, &e.at), 0);
    addr_text(&e.at, e.address);
    return e;
}

static inline struct gateway_at far_end_at(const struct far_end *e)
{
    return (struct gateway_at){.ip = addr_ip4(&e->at), .port = e->at.port};
}

static inline int far_end_accept(struct mesh_bench *b, const struct far_end *e)
{
    int fd = -1;
    BENCH_TURN_UNTIL(b, (fd = accept4(e->listener, NULL, NULL, SOCK_NONBLOCK)) >= 0);
    return fd;
}

static inline void far_end_take(struct mesh_bench *b, int fd, uint8_t *at, size_t len)
{
    size_t got = 0;
    for (int i = 0; i < TURNS_MAX && got < len; i++) {
        ssize_t n = recv(fd, at + got, len - got, 0);
        if (n > 0)
            got += (size_t)n;
        else
            bench_turn(b, 1);
    }
    assert_int_equal(got, len);
}

/* The next packet, which must be of that command; its bytes live until the next call. */
static inline struct wire_packet far_end_packet(struct mesh_bench *b, int fd, uint8_t cmd)
{
    static uint8_t bytes[4096];
    struct wire_packet p;
    far_end_take(b, fd, bytes, 4);
    size_t len = get_u32be(bytes);
    assert_in_range(len, WIRE_HEAD, sizeof(bytes));
    far_end_take(b, fd, bytes + 4, len - 4);
    assert_int_equal(wire_decode(span_of(bytes, len), sizeof(bytes), &p), len);
    assert_int_equal(p.cmd, cmd);
    return p;
}

static inline void far_end_say(int fd, uint8_t cmd, uint8_t flag, uint32_t id, const char *body)
{
    uint8_t bytes[4096];
    struct wire_packet p = {.cmd = cmd, .flag = flag, .connection_id = id, .body = span_str(body)};
    assert_in_range(wire_size(&p), WIRE_HEAD, sizeof(bytes));
    wire_encode(bytes, &p);
    assert_int_equal(send(fd, bytes, wire_size(&p), MSG_NOSIGNAL), wire_size(&p));
}

/* Our side closes the connection; what is still to be read may be anything. */
static inline void far_end_await_end(struct mesh_bench *b, int fd)
{
    uint8_t bytes[512];
    bool has_ended = false;
    for (int i = 0; i < TURNS_MAX && !has_ended; i++) {
        bench_turn(b, 1);
        ssize_t n = recv(fd, bytes, sizeof(bytes), 0);
        has_ended = n == 0 || (n < 0 && errno == ECONNRESET);
    }
    assert_true(has_ended);
    close(fd);
}

#endif

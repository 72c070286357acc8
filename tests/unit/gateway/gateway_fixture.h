/* A gateway process in the test's own loop, with hand-made workers and clients of a text port. */
#ifndef TEST_GATEWAY_FIXTURE_H
#define TEST_GATEWAY_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "gateway/gateway.h"
#include "gateway/gateway_conf.h"
#include "gateway/state.h"
#include "net/sock.h"
#include "proto/wire.h"
#include "support/tmpdir.h"

enum { TURNS_MAX = 5000, NOTICES_N = 2 };

struct gateway_bench {
    struct tmpdir dir;
    struct conf *conf;
    struct notices *notices;
    struct role_env env;
    int fds[2];   /* clients, inner */
    int registry; /* connections stay in its backlog: a registry never says anything */
    void *self;
    int ready_n, finished_n;
};

static inline void on_ready(struct role_env *env)
{
    CONTAINER_OF(env, struct gateway_bench, env)->ready_n++;
}

static inline void on_finished(struct role_env *env)
{
    CONTAINER_OF(env, struct gateway_bench, env)->finished_n++;
}

static inline int any_port(void)
{
    struct addr at;
    assert_int_equal(addr_parse("127.0.0.1:0", &at), 0);
    int fd = sock_listen(&at, false, 64);
    assert_true(fd >= 0);
    return fd;
}

static inline void bench_start_on(struct gateway_bench *b, const char *scheme, const char *more)
{
    *b = (struct gateway_bench){.dir = tmpdir_make(),
                                .notices = notices_new(NOTICES_N),
                                .fds = {any_port(), any_port()},
                                .registry = any_port()};
    char text[512];
    struct addr registry;
    assert_int_equal(sock_local(b->registry, &registry), 0);
    snprintf(text, sizeof(text),
             "[gateway t]\nlisten = %s://127.0.0.1:1\n%s"
             "register_address = 127.0.0.1:%d\n%s\n",
             scheme, strstr(more, "ping_interval") ? "" : "ping_interval = 0\n", registry.port,
             more);
    struct buf errors = {0};
    const struct conf_table *tables[] = {&gateway_conf_table};
    int rc = conf_load(tmpdir_write(&b->dir, "t.conf", text), tables, 1, &errors, &b->conf);
    if (rc < 0)
        fail_msg("%s", buf_cstr(&errors));
    buf_fini(&errors);
    b->env = (struct role_env){.loop = loop_new(),
                               .conf = b->conf,
                               .section = conf_section_at(b->conf, 0),
                               .role = &gateway_role,
                               .listen_fds = b->fds,
                               .listen_fds_n = 2,
                               .notices = b->notices,
                               .notices_pos = NOTICES_N - 1,
                               .ready = on_ready,
                               .finished = on_finished};
    b->env.conns = conn_pool_new(b->env.loop);
    assert_int_equal(gateway_role.start(&b->env, &b->self), 0);
    assert_int_equal(b->ready_n, 1);
}

static inline void bench_start(struct gateway_bench *b, const char *more)
{
    bench_start_on(b, "text", more);
}

/* Of a gateway that was asked to end. */
static inline void bench_await_end(struct gateway_bench *b)
{
    for (int i = 0; i < TURNS_MAX && b->finished_n == 0; i++)
        loop_turn(b->env.loop, 10);
    assert_int_equal(b->finished_n, 1);
    conn_pool_free(b->env.conns);
    loop_free(b->env.loop);
    conf_free(b->conf);
    notices_free(b->notices);
    close(b->fds[0]);
    close(b->fds[1]);
    close(b->registry);
    tmpdir_remove(&b->dir);
}

/* At its deadline a process ends without freeing what is left, which would be a leak here: the
 * bench waits until all is freed, however busy the machine is. */
static inline void bench_end(struct gateway_bench *b)
{
    struct gateway *g = b->self;
    gateway_role.stop(g);
    g->ending_deadline_ms = UINT64_MAX;
    bench_await_end(b);
}

static inline int dial(const struct gateway_bench *b, int listener)
{
    struct addr at;
    struct sockaddr_storage ss;
    assert_int_equal(sock_local(b->fds[listener], &at), 0);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&ss, addr_to_sockaddr(&at, &ss)), 0);
    sock_tune(fd);
    return fd;
}

static inline void put(int fd, const void *at, size_t len)
{
    assert_int_equal(send(fd, at, len, MSG_NOSIGNAL), len);
}

/* Turns the loop until that many bytes are there. */
static inline void take(const struct gateway_bench *b, int fd, uint8_t *at, size_t len)
{
    size_t got = 0;
    for (int i = 0; i < TURNS_MAX && got < len; i++) {
        ssize_t n = recv(fd, at + got, len - got, MSG_DONTWAIT);
        if (n > 0)
            got += (size_t)n;
        else
            loop_turn(b->env.loop, 10);
    }
    assert_int_equal(got, len);
}

static inline void put_packet(int fd, const struct wire_packet *p)
{
    uint8_t bytes[512];
    assert_in_range(wire_size(p), WIRE_HEAD, sizeof(bytes));
    wire_encode(bytes, p);
    put(fd, bytes, wire_size(p));
}

/* The next packet, which must be of that command; its bytes live until the next call. */
static inline struct wire_packet take_packet(const struct gateway_bench *b, int fd, int cmd)
{
    static uint8_t bytes[4096];
    struct wire_packet p;
    take(b, fd, bytes, 4);
    size_t len = get_u32be(bytes);
    assert_in_range(len, WIRE_HEAD, sizeof(bytes));
    take(b, fd, bytes + 4, len - 4);
    assert_int_equal(wire_decode(span_of(bytes, len), SIZE_MAX, &p), len);
    assert_int_equal(p.cmd, cmd);
    return p;
}

static inline int attach_as(const struct gateway_bench *b, const char *greeting)
{
    int fd = dial(b, 1);
    put_packet(fd, &(struct wire_packet){
                       .cmd = CMD_WORKER_CONNECT, .flag = WIRE_SCALAR, .body = span_str(greeting)});
    return fd;
}

static inline int attach(const struct gateway_bench *b)
{
    int fd = attach_as(b, "{\"worker_key\":\"w:0\",\"secret_key\":\"\",\"gatehouse\":1}");
    take_packet(b, fd, CMD_HELLO);
    return fd;
}

static inline void turn_until_closed(const struct gateway_bench *b, int fd)
{
    uint8_t byte;
    ssize_t n = -1;
    for (int i = 0; i < TURNS_MAX && n < 0; i++) {
        loop_turn(b->env.loop, 10);
        n = recv(fd, &byte, 1, MSG_DONTWAIT);
        if (n < 0 && errno == ECONNRESET)
            n = 0;
    }
    assert_int_equal(n, 0);
}

/* An event for a client of that id, as a worker sends it. */
static inline void put_cmd(int fd, int cmd, uint32_t id, struct span ext, struct span body)
{
    put_packet(fd, &(struct wire_packet){.cmd = (uint8_t)cmd,
                                         .flag = WIRE_SCALAR,
                                         .connection_id = id,
                                         .ext = ext,
                                         .body = body});
}

static inline void turn(const struct gateway_bench *b, int n)
{
    for (int i = 0; i < n; i++)
        loop_turn(b->env.loop, 1);
}

#endif

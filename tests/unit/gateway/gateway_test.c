/* A whole gateway process in the test's own loop: what passes through, and what it costs. */
#include "gateway/gateway.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "gateway/gateway_conf.h"
#include "net/sock.h"
#include "proto/wire.h"
#include "support/allocs.h"
#include "support/tmpdir.h"

enum { TURNS_MAX = 5000 };

struct bench {
    struct tmpdir dir;
    struct conf *conf;
    struct role_env env;
    int fds[2];   /* clients, inner */
    int registry; /* connections stay in its backlog: a registry never says anything */
    void *self;
    int ready_n, finished_n;
};

static void on_ready(struct role_env *env)
{
    CONTAINER_OF(env, struct bench, env)->ready_n++;
}

static void on_finished(struct role_env *env)
{
    CONTAINER_OF(env, struct bench, env)->finished_n++;
}

static int any_port(void)
{
    struct addr at;
    assert_int_equal(addr_parse("127.0.0.1:0", &at), 0);
    int fd = sock_listen(&at, false, 64);
    assert_true(fd >= 0);
    return fd;
}

static void start(struct bench *b, const char *more)
{
    *b = (struct bench){
        .dir = tmpdir_make(), .fds = {any_port(), any_port()}, .registry = any_port()};
    char text[512];
    struct addr registry;
    assert_int_equal(sock_local(b->registry, &registry), 0);
    snprintf(text, sizeof(text),
             "[gateway t]\nlisten = text://127.0.0.1:1\nping_interval = 0\n"
             "register_address = 127.0.0.1:%d\n%s\n",
             registry.port, more);
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
                               .ready = on_ready,
                               .finished = on_finished};
    b->env.conns = conn_pool_new(b->env.loop);
    assert_int_equal(gateway_role.start(&b->env, &b->self), 0);
    assert_int_equal(b->ready_n, 1);
}

static void end(struct bench *b)
{
    gateway_role.stop(b->self);
    for (int i = 0; i < TURNS_MAX && b->finished_n == 0; i++)
        loop_turn(b->env.loop, 10);
    assert_int_equal(b->finished_n, 1);
    conn_pool_free(b->env.conns);
    loop_free(b->env.loop);
    conf_free(b->conf);
    close(b->fds[0]);
    close(b->fds[1]);
    close(b->registry);
    tmpdir_remove(&b->dir);
}

static int dial(const struct bench *b, int listener)
{
    struct addr at;
    struct sockaddr_storage ss;
    assert_int_equal(sock_local(b->fds[listener], &at), 0);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&ss, addr_to_sockaddr(&at, &ss)), 0);
    sock_tune(fd);
    return fd;
}

static void put(int fd, const void *at, size_t len)
{
    assert_int_equal(send(fd, at, len, MSG_NOSIGNAL), len);
}

/* Turns the loop until that many bytes are there. */
static void take(const struct bench *b, int fd, uint8_t *at, size_t len)
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

static void put_packet(int fd, const struct wire_packet *p)
{
    uint8_t bytes[512];
    assert_in_range(wire_size(p), WIRE_HEAD, sizeof(bytes));
    wire_encode(bytes, p);
    put(fd, bytes, wire_size(p));
}

/* The next packet, which must be of that command; its bytes live until the next call. */
static struct wire_packet take_packet(const struct bench *b, int fd, int cmd)
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

static int attach(const struct bench *b)
{
    int fd = dial(b, 1);
    put_packet(
        fd, &(struct wire_packet){
                .cmd = CMD_WORKER_CONNECT,
                .flag = WIRE_SCALAR,
                .body = span_str("{\"worker_key\":\"w:0\",\"secret_key\":\"\",\"gatehouse\":1}")});
    take_packet(b, fd, CMD_HELLO);
    return fd;
}

static void echo(const struct bench *b, int client, int worker)
{
    uint8_t back[6];
    put(client, "hello\n", 6);
    struct wire_packet event = take_packet(b, worker, CMD_ON_MESSAGE);
    put_packet(worker, &(struct wire_packet){.cmd = CMD_SEND_TO_ONE,
                                             .flag = WIRE_SCALAR,
                                             .connection_id = event.connection_id,
                                             .body = event.body});
    take(b, client, back, 6);
    assert_memory_equal(back, "hello\n", 6);
}

/* Style §2, memory: a test counts allocations over 1,000 echoes and expects none. */
static void echoes_need_no_memory_once_warm(void **state)
{
    struct bench b;
    start(&b, "");
    int worker = attach(&b), client = dial(&b, 0);
    take_packet(&b, worker, CMD_ON_CONNECT);
    for (int i = 0; i < 10; i++)
        echo(&b, client, worker);
    struct allocs mark = allocs_mark();
    for (int i = 0; i < 1000; i++)
        echo(&b, client, worker);
    assert_int_equal(allocs_since(mark), 0);
    close(client);
    take_packet(&b, worker, CMD_ON_CLOSE);
    close(worker);
    end(&b);
}

static void broadcasts_need_no_memory_once_warm(void **state)
{
    enum { CLIENTS_N = 20 };
    struct bench b;
    start(&b, "");
    int worker = attach(&b), clients[CLIENTS_N];
    for (uint32_t i = 0; i < CLIENTS_N; i++) {
        clients[i] = dial(&b, 0);
        take_packet(&b, worker, CMD_ON_CONNECT);
        put_packet(worker, &(struct wire_packet){.cmd = CMD_JOIN_GROUP,
                                                 .flag = WIRE_SCALAR,
                                                 .connection_id = i + 1,
                                                 .ext = span_str("room")});
    }
    struct allocs mark = {0};
    for (int round = 0; round < 210; round++) {
        if (round == 10)
            mark = allocs_mark();
        put_packet(worker, &(struct wire_packet){
                               .cmd = CMD_SEND_TO_GROUP,
                               .flag = WIRE_SCALAR,
                               .ext = span_str("{\"group\":[\"room\"],\"exclude\":{\"1\":1}}"),
                               .body = span_str("news")});
        put_packet(worker, &(struct wire_packet){.cmd = CMD_RECEIPT, .flag = WIRE_SCALAR});
        assert_true(span_is(take_packet(&b, worker, CMD_REPLY).body, "i:19;"));
        uint8_t got[5];
        for (int i = 1; i < CLIENTS_N; i++)
            take(&b, clients[i], got, 5);
        assert_memory_equal(got, "news\n", 5);
    }
    assert_int_equal(allocs_since(mark), 0);
    uint8_t none;
    assert_int_equal(recv(clients[0], &none, 1, MSG_DONTWAIT), -1);
    for (int i = 0; i < CLIENTS_N; i++)
        close(clients[i]);
    close(worker);
    end(&b);
}

static void turn_until_closed(const struct bench *b, int fd)
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

static void limits_of_connections(void **state)
{
    struct bench b;
    start(&b, "max_connections_per_address = 2");
    int worker = attach(&b), first = dial(&b, 0), second = dial(&b, 0);
    take_packet(&b, worker, CMD_ON_CONNECT);
    take_packet(&b, worker, CMD_ON_CONNECT);
    int third = dial(&b, 0);
    turn_until_closed(&b, third);
    close(first);
    take_packet(&b, worker, CMD_ON_CLOSE);
    int fourth = dial(&b, 0);
    take_packet(&b, worker, CMD_ON_CONNECT);
    struct role_status status = {0};
    gateway_role.status(b.self, &status);
    assert_int_equal(status.connections_n, 2);
    for (size_t i = 0; i < 4; i++)
        close((int[]){second, third, fourth, worker}[i]);
    end(&b);
}

/* Before it has shown the key a peer may send one small packet, of two kinds. */
static void strangers_may_do_nothing(void **state)
{
    static const uint8_t huge[WIRE_HEAD] = {0, 0, 0x50, 0, CMD_WORKER_CONNECT};
    struct bench b;
    start(&b, "secret_key = right");
    int fd = dial(&b, 1);
    put_packet(fd, &(struct wire_packet){.cmd = CMD_IS_ONLINE, .connection_id = 1});
    turn_until_closed(&b, fd);
    close(fd);
    fd = dial(&b, 1);
    put(fd, huge, sizeof(huge)); /* 20 KiB announced */
    turn_until_closed(&b, fd);
    close(fd);
    fd = dial(&b, 1);
    put_packet(fd, &(struct wire_packet){.cmd = CMD_GATEWAY_CLIENT_CONNECT,
                                         .flag = WIRE_SCALAR,
                                         .body = span_str("{\"secret_key\":\"wrong\"}")});
    turn_until_closed(&b, fd);
    close(fd);
    fd = dial(&b, 1);
    put_packet(fd, &(struct wire_packet){.cmd = CMD_GATEWAY_CLIENT_CONNECT,
                                         .flag = WIRE_SCALAR,
                                         .body = span_str("{\"secret_key\":\"right\"}")});
    put_packet(fd, &(struct wire_packet){.cmd = CMD_IS_ONLINE, .connection_id = 1});
    uint8_t reply[8];
    take(&b, fd, reply, sizeof(reply));
    assert_memory_equal(reply, "\0\0\0\4i:0;", 8);
    close(fd);
    end(&b);
}

/* Drain: what clients have sent is answered before they are closed. */
static void drain_waits_for_work_in_hand(void **state)
{
    struct bench b;
    start(&b, "");
    int worker = attach(&b), client = dial(&b, 0);
    take_packet(&b, worker, CMD_ON_CONNECT);
    put(client, "work\n", 5);
    take_packet(&b, worker, CMD_ON_MESSAGE);
    gateway_role.drain(b.self);
    for (int i = 0; i < 20; i++)
        loop_turn(b.env.loop, 5);
    assert_int_equal(b.finished_n, 0);
    put_packet(worker, &(struct wire_packet){.cmd = CMD_SEND_TO_ONE,
                                             .flag = WIRE_SCALAR,
                                             .connection_id = 1,
                                             .body = span_str("done")});
    static const uint8_t two[] = {0, 0, 0, 2};
    put_packet(worker, &(struct wire_packet){.cmd = CMD_DONE,
                                             .flag = WIRE_SCALAR,
                                             .body = span_of(two, sizeof(two))});
    uint8_t got[5];
    take(&b, client, got, 5);
    assert_memory_equal(got, "done\n", 5);
    turn_until_closed(&b, client);
    take_packet(&b, worker, CMD_ON_CLOSE);
    close(client);
    close(worker);
    end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(echoes_need_no_memory_once_warm),
        cmocka_unit_test(broadcasts_need_no_memory_once_warm),
        cmocka_unit_test(limits_of_connections),
        cmocka_unit_test(strangers_may_do_nothing),
        cmocka_unit_test(drain_waits_for_work_in_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

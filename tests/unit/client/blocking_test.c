/* An outside program against sockets: a registry and gateways that answer, hang, close or are not
 * there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <gw/gateway.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "net/addr.h"
#include "net/sock.h"
#include "proto/reg.h"
#include "proto/wire.h"

enum behaviour {
    LISTS,        /* a registry: answers a line with the list */
    ANSWERS,      /* a gateway: every query, at once */
    ANSWERS_ONCE, /* then closes the connection, and takes the next one */
    HANGS,        /* takes everything and says nothing */
    CLOSES,       /* after the first bytes, without a word */
};

enum { TIMEOUT_MS = 400 };

/* One listening thread that serves one connection after another until its listener is shut down. */
struct peer {
    enum behaviour does;
    int listen_fd;
    uint16_t port;
    pthread_t thread;
    atomic_int accepted_n;
    atomic_int open_fd;
    struct buf list;     /* LISTS */
    struct buf received; /* ANSWERS: read it after peer_stop() */
};

static void put_reply(int fd, const char *value)
{
    struct buf out = {0};

    buf_put_u32be(&out, (uint32_t)strlen(value));
    buf_puts(&out, value);
    (void)!write(fd, out.at, out.len);
    buf_fini(&out);
}

/* Answers the whole packets at the front; how many bytes they had. */
static size_t answer_packets(int fd, struct span in)
{
    size_t used = 0;
    struct wire_packet p;
    ssize_t len;

    while ((len = wire_decode(span_skip(in, used), 1 << 20, &p)) > 0) {
        if (p.cmd == CMD_GET_CLIENT_COUNT_BY_GROUP)
            put_reply(fd, "i:3;");
        else if (p.cmd == CMD_GET_GROUP_ID_LIST)
            put_reply(fd, "a:1:{i:0;s:1:\"g\";}");
        used += (size_t)len;
    }
    return used;
}

static void serve_one(struct peer *p, int fd)
{
    char bytes[4096];
    size_t used = 0;
    ssize_t n;

    while ((n = read(fd, bytes, sizeof bytes)) > 0 && p->does != CLOSES) {
        buf_put(&p->received, bytes, (size_t)n);
        if (p->does == LISTS) {
            (void)!write(fd, p->list.at, p->list.len);
            continue;
        }
        if (p->does == HANGS)
            continue;
        size_t before = used;
        used += answer_packets(fd, span_skip(buf_span(&p->received), used));
        if (p->does == ANSWERS_ONCE && used > before)
            break;
    }
    buf_consume(&p->received, p->does == ANSWERS_ONCE ? p->received.len : 0);
}

static void *serve(void *arg)
{
    struct peer *p = arg;

    for (;;) {
        int fd = accept(p->listen_fd, NULL, NULL);
        if (fd < 0)
            return NULL;
        atomic_fetch_add(&p->accepted_n, 1);
        atomic_store(&p->open_fd, fd);
        serve_one(p, fd);
        atomic_store(&p->open_fd, -1);
        close(fd);
    }
}

static void peer_start(struct peer *p, enum behaviour does)
{
    struct addr at;

    *p = (struct peer){.does = does, .listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    atomic_store(&p->open_fd, -1);
    assert_int_equal(addr_parse("127.0.0.1:0", &at), 0);
    struct sockaddr_storage sa;
    socklen_t len = addr_to_sockaddr(&at, &sa);
    assert_int_equal(bind(p->listen_fd, (const struct sockaddr *)&sa, len), 0);
    assert_int_equal(listen(p->listen_fd, 16), 0);
    assert_int_equal(sock_local(p->listen_fd, &at), 0);
    p->port = at.port;
}

static void peer_run(struct peer *p)
{
    assert_int_equal(pthread_create(&p->thread, NULL, serve, p), 0);
}

static void peer_stop(struct peer *p)
{
    shutdown(p->listen_fd, SHUT_RDWR);
    int fd = atomic_load(&p->open_fd);
    if (fd >= 0)
        shutdown(fd, SHUT_RDWR);
    pthread_join(p->thread, NULL);
    close(p->listen_fd);
}

static void peer_fini(struct peer *p)
{
    buf_fini(&p->list);
    buf_fini(&p->received);
}

/* A registry that names two gateways, and a handle on it. */
struct cluster {
    struct peer registry;
    struct peer gateways[2];
    struct gw *gw;
};

static void cluster_start(struct cluster *c, enum behaviour first, enum behaviour second,
                          const char *secret)
{
    char address[2][32];
    const char *addresses[] = {address[0], address[1]};
    char registry[32];

    peer_start(&c->gateways[0], first);
    peer_start(&c->gateways[1], second);
    peer_start(&c->registry, LISTS);
    for (size_t i = 0; i < 2; i++)
        snprintf(address[i], sizeof address[i], "127.0.0.1:%u", c->gateways[i].port);
    reg_put_broadcast(&c->registry.list, addresses, 2);
    for (size_t i = 0; i < 2; i++)
        peer_run(&c->gateways[i]);
    peer_run(&c->registry);
    snprintf(registry, sizeof registry, "127.0.0.1:%u", c->registry.port);
    struct gw_options options = {.size = sizeof options, .timeout_ms = TIMEOUT_MS};
    c->gw = gw_open_with(registry, secret, &options);
    assert_non_null(c->gw);
}

static void cluster_stop(struct cluster *c)
{
    gw_close(c->gw);
    peer_stop(&c->registry);
    peer_stop(&c->gateways[0]);
    peer_stop(&c->gateways[1]);
}

static void cluster_fini(struct cluster *c)
{
    peer_fini(&c->registry);
    peer_fini(&c->gateways[0]);
    peer_fini(&c->gateways[1]);
}

static void test_answers_are_summed_over_kept_connections(void **state)
{
    struct cluster c;

    cluster_start(&c, ANSWERS, ANSWERS, NULL);
    assert_int_equal(gw_get_all_client_count(c.gw), 6);
    assert_int_equal(gw_get_all_client_count(c.gw), 6);
    cluster_stop(&c);
    assert_int_equal(atomic_load(&c.gateways[0].accepted_n), 1);
    assert_int_equal(atomic_load(&c.gateways[1].accepted_n), 1);
    assert_int_equal(c.gateways[0].received.len, 2 * WIRE_HEAD);
    assert_true(span_is(buf_span(&c.registry.received),
                        "{\"event\":\"worker_connect\",\"secret_key\":\"\"}\n"));
    cluster_fini(&c);
}

static void test_the_secret_goes_first(void **state)
{
    struct cluster c;
    struct wire_packet p;

    cluster_start(&c, ANSWERS, ANSWERS, "key");
    assert_int_equal(gw_get_all_client_count(c.gw), 6);
    cluster_stop(&c);
    ssize_t len = wire_decode(buf_span(&c.gateways[0].received), 4096, &p);
    assert_true(len > 0);
    assert_int_equal(p.cmd, CMD_GATEWAY_CLIENT_CONNECT);
    assert_memory_equal(p.body.at, "{\"secret_key\":\"key\"", 19);
    assert_true(wire_decode(span_skip(buf_span(&c.gateways[0].received), (size_t)len), 4096, &p) >
                0);
    assert_int_equal(p.cmd, CMD_GET_CLIENT_COUNT_BY_GROUP);
    cluster_fini(&c);
}

static void expect_partial(enum behaviour bad, int rc)
{
    struct cluster c;
    const struct gw_name_list *list = NULL;

    cluster_start(&c, bad, ANSWERS, NULL);
    assert_int_equal(gw_get_all_groups(c.gw, &list), GW_EPARTIAL);
    assert_int_equal(list->n, 1);
    assert_string_equal(list->names[0].data, "g");
    assert_int_equal(list->failures_n, 1);
    assert_int_equal(list->failures[0].rc, rc);
    gw_result_free(list);
    assert_int_equal(gw_get_all_client_count(c.gw), GW_EPARTIAL);
    cluster_stop(&c);
    cluster_fini(&c);
}

static void test_a_gateway_that_hangs_costs_its_share_only(void **state)
{
    expect_partial(HANGS, GW_ETIMEOUT);
}

static void test_a_gateway_that_is_not_there(void **state)
{
    struct cluster c;
    const struct gw_name_list *list = NULL;

    cluster_start(&c, ANSWERS, ANSWERS, NULL);
    peer_stop(&c.gateways[0]);
    assert_int_equal(gw_get_all_groups(c.gw, &list), GW_EPARTIAL);
    assert_int_equal(list->n, 1);
    assert_int_equal(list->failures[0].rc, -ECONNREFUSED);
    gw_result_free(list);
    gw_close(c.gw);
    peer_stop(&c.registry);
    peer_stop(&c.gateways[1]);
    cluster_fini(&c);
}

static void test_a_closed_connection_is_opened_anew(void **state)
{
    struct cluster c;

    cluster_start(&c, ANSWERS_ONCE, ANSWERS, NULL);
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(gw_get_all_client_count(c.gw), 6);
        while (atomic_load(&c.gateways[0].open_fd) >= 0)
            usleep(1000); /* until its end of the connection is closed */
        assert_int_equal(atomic_load(&c.gateways[0].accepted_n), i);
        usleep(1000);
    }
    cluster_stop(&c);
    cluster_fini(&c);
}

/* A client id may come from anybody: no connection, and no secret, goes where no registry points.
 */
static void test_only_listed_gateways_are_talked_to(void **state)
{
    struct cluster c;
    struct peer stranger;
    char id[GW_CLIENT_ID_LEN + 1];

    cluster_start(&c, ANSWERS, ANSWERS, "key");
    peer_start(&stranger, ANSWERS);
    peer_run(&stranger);
    snprintf(id, sizeof id, "7f000001%04x00000001", stranger.port);
    assert_int_equal(gw_send_to_client(c.gw, id, gw_str("x")), GW_ENOGATEWAY);
    assert_int_equal(gw_is_online(c.gw, id), 0);
    assert_int_equal(gw_send_to_client(c.gw, "short", gw_str("x")), GW_EBADID);
    peer_stop(&stranger);
    assert_int_equal(atomic_load(&stranger.accepted_n), 0);
    peer_fini(&stranger);
    cluster_stop(&c);
    cluster_fini(&c);
}

static void expect_open(const char *registry, const char *secret, int rc)
{
    struct gw_options options = {.size = sizeof options, .timeout_ms = TIMEOUT_MS};
    struct gw *gw = gw_open_with(registry, secret, &options);

    assert_non_null(gw);
    assert_int_equal(gw_get_all_client_count(gw), rc);
    gw_close(gw);
}

/* A registry closes silently on a wrong key (vectors/register.json). */
static void test_registries_that_do_not_help(void **state)
{
    struct peer closing;
    struct peer empty;
    char address[64];

    peer_start(&closing, CLOSES);
    peer_run(&closing);
    snprintf(address, sizeof address, "127.0.0.1:%u", closing.port);
    expect_open(address, "wrong", GW_EAUTH);
    peer_stop(&closing);
    expect_open(address, NULL, GW_ENOREGISTRY);

    peer_start(&empty, LISTS);
    reg_put_broadcast(&empty.list, NULL, 0);
    peer_run(&empty);
    /* The first of the two is dead, the second is asked. */
    snprintf(address, sizeof address, "127.0.0.1:%u, 127.0.0.1:%u", closing.port, empty.port);
    expect_open(address, NULL, GW_ENOGATEWAY);
    peer_stop(&empty);
    peer_fini(&closing);
    peer_fini(&empty);
}

static void test_unusable_addresses(void **state)
{
    static const char *const bad[] = {
        NULL, "", ",", "host", "host:", ":1236", "host:0x", "host:0", "host:65536"};

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        errno = 0;
        assert_null(gw_open(bad[i], NULL));
        assert_int_equal(errno, EINVAL);
    }
    gw_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_are_summed_over_kept_connections),
        cmocka_unit_test(test_the_secret_goes_first),
        cmocka_unit_test(test_a_gateway_that_hangs_costs_its_share_only),
        cmocka_unit_test(test_a_gateway_that_is_not_there),
        cmocka_unit_test(test_a_closed_connection_is_opened_anew),
        cmocka_unit_test(test_only_listed_gateways_are_talked_to),
        cmocka_unit_test(test_registries_that_do_not_help),
        cmocka_unit_test(test_unusable_addresses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

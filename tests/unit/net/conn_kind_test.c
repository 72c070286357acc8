/* Kinds of connections: shared by those with the same conf, gone with the last of them. */
#include "net/conn_internal.h"
#include "unit/net/conn_fixture.h"

/* Of connections that nothing is expected from. */
static ssize_t on_any_bytes(struct conn *c, void *owner, uint8_t *at, size_t len)
{
    return (ssize_t)len;
}

static void on_any_close(struct conn *c, void *owner, int why)
{
}

static const struct conn_events quiet = {.on_bytes = on_any_bytes, .on_close = on_any_close};

static struct conn *adopt(struct fixture *f, const struct conn_conf *conf, int *peer)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    *peer = fds[1];
    return conn_new(f->pool, fds[0], NULL, &plain_transport, NULL, conf, &quiet, NULL);
}

static void take_back(struct fixture *f, struct conn *c, int peer)
{
    conn_destroy(c, 0);
    fixture_turn(f);
    close(peer);
}

static size_t kinds_n(const struct fixture *f)
{
    size_t n = 0;
    for (const struct list *at = f->pool->kinds.next; at != &f->pool->kinds; at = at->next)
        n++;
    return n;
}

static void those_with_the_same_conf_share_one(void **state)
{
    struct fixture *f = *state;
    struct conn_conf other = f->conf;
    int peers[3];
    struct conn *a = adopt(f, &f->conf, &peers[0]);
    struct conn *b = adopt(f, &f->conf, &peers[1]);
    struct conn *c = adopt(f, &other, &peers[2]);
    assert_ptr_equal(a->kind, b->kind);
    assert_ptr_not_equal(a->kind, c->kind);
    assert_int_equal(kinds_n(f), 2);
    take_back(f, a, peers[0]);
    assert_int_equal(kinds_n(f), 2);
    assert_ptr_equal(b->kind->conf, &f->conf);
    take_back(f, b, peers[1]);
    assert_int_equal(kinds_n(f), 1);
    take_back(f, c, peers[2]);
    assert_int_equal(kinds_n(f), 0);
}

/* A conf on the heap is freed behind its last connection, and the next one may lie at the same
 * address with other limits. */
static void a_conf_at_the_address_of_another_is_its_own(void **state)
{
    struct fixture *f = *state;
    struct conn_conf conf = {.out_max_bytes = 10};
    int peer;
    struct conn *c = adopt(f, &conf, &peer);
    assert_false(conn_has_room(c, 11));
    take_back(f, c, peer);
    conf = (struct conn_conf){.out_max_bytes = 100};
    c = adopt(f, &conf, &peer);
    assert_true(conn_has_room(c, 11));
    take_back(f, c, peer);
}

/* More sorts than are searched: some kinds are there twice, and each conn has the right one. */
static void of_many_sorts_each_has_its_own(void **state)
{
    enum { N = 40 };
    struct fixture *f = *state;
    struct conn_conf confs[N];
    struct conn *conns[2 * N];
    int peers[2 * N];
    for (size_t i = 0; i < 2 * N; i++) {
        confs[i % N] = (struct conn_conf){.out_max_bytes = 1 + i % N};
        conns[i] = adopt(f, &confs[i % N], &peers[i]);
    }
    for (size_t i = 0; i < 2 * N; i++)
        assert_ptr_equal(conns[i]->kind->conf, &confs[i % N]);
    for (size_t i = 0; i < 2 * N; i++) {
        size_t one = i * 7 % (2 * N); /* in another order; 7 and 80 have no factor in common */
        take_back(f, conns[one], peers[one]);
    }
    assert_int_equal(kinds_n(f), 0);
}

static ssize_t take_one_byte(struct conn *c, void *owner, uint8_t *at, size_t len)
{
    struct fixture *f = owner;
    buf_put(&f->got, at, 1);
    return 1;
}

/* Handing over gives the old kind back, when this was its last connection. */
static void a_handover_moves_to_another_kind(void **state)
{
    struct fixture *f = *state;
    struct conn_events fresh = f->events;
    struct conn_conf conf = {.out_max_bytes = 77};
    fresh.on_bytes = take_one_byte;
    fixture_open(f);
    conn_adopt(f->conn, &conf, &fresh, f);
    assert_int_equal(kinds_n(f), 1);
    assert_ptr_equal(f->conn->kind->conf, &conf);
    fixture_peer_write(f, "xyz");
    FIXTURE_TURN_UNTIL(f, f->got.len == 1);
    assert_int_equal(f->bytes_n, 0);
    conn_destroy(f->conn, 0);
    fixture_turn(f);
    assert_int_equal(kinds_n(f), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(those_with_the_same_conf_share_one),
        FIXTURE_TEST(a_conf_at_the_address_of_another_is_its_own),
        FIXTURE_TEST(of_many_sorts_each_has_its_own),
        FIXTURE_TEST(a_handover_moves_to_another_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

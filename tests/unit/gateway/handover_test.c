/* A worker that leaves: the events of its clients wait, follow in order, and none is counted twice.
 */
#include "gateway/handover.h"

#include "base/idmap.h"
#include "gateway_fixture.h"

static const char *const SECOND = "{\"worker_key\":\"w:1\",\"secret_key\":\"\",\"gatehouse\":1}";

/* Two clients of one worker; the other worker came when they were bound. */
struct scene {
    struct gateway_bench b;
    struct gateway *g;
    int old, fresh;
    int clients[2]; /* with ids 1 and 2 */
};

static void set_up(struct scene *s)
{
    bench_start(&s->b, "");
    s->g = s->b.self;
    s->old = attach(&s->b);
    for (int i = 0; i < 2; i++) {
        s->clients[i] = dial(&s->b, 0);
        take_packet(&s->b, s->old, CMD_ON_CONNECT);
    }
    s->fresh = attach_as(&s->b, SECOND);
    take_packet(&s->b, s->fresh, CMD_HELLO);
}

static void tear_down(struct scene *s)
{
    assert_int_equal(s->g->route.orphans.events_n, 0);
    for (int i = 0; i < 2; i++)
        close(s->clients[i]);
    close(s->old);
    close(s->fresh);
    bench_end(&s->b);
}

static struct worker *old_worker(const struct scene *s)
{
    struct worker *w = workers_find(&s->g->route.workers, span_str("127.0.0.1:w:0"));
    assert_non_null(w);
    return w;
}

static void say(const struct scene *s, int i, const char *line)
{
    put(s->clients[i], line, strlen(line));
    turn(&s->b, 4);
}

static void hears(const struct scene *s, int fd, uint32_t id, const char *text)
{
    struct wire_packet p = take_packet(&s->b, fd, CMD_ON_MESSAGE);
    assert_int_equal(p.connection_id, id);
    if (!span_is(p.body, text))
        fail_msg("\"%.*s\" instead of \"%s\"", (int)p.body.len, (const char *)p.body.at, text);
}

static void tell(const struct scene *s, int cmd, uint32_t id, const void *ids, size_t ids_len)
{
    put_cmd(s->old, cmd, id, span_of(NULL, 0), span_of(ids, ids_len));
    turn(&s->b, 4);
}

static void drain(const struct scene *s)
{
    tell(s, CMD_DRAIN, 0, NULL, 0);
    take_packet(&s->b, s->old, CMD_DRAIN_MARK);
}

/* What came before the mark is the old one's; the rest waits until it is known who goes first. */
static void events_follow_their_clients_in_order(void **state)
{
    static const uint8_t busy[] = {0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 99, 7}; /* twice, and nobody */
    struct scene s;
    set_up(&s);
    say(&s, 0, "before\n");
    hears(&s, s.old, 1, "before");
    drain(&s);
    say(&s, 0, "a1\n");
    say(&s, 1, "b1\n");
    say(&s, 0, "a2\n");
    assert_int_equal(old_worker(&s)->waiting.events_n, 3);
    tell(&s, CMD_DRAINED, 0, busy, sizeof(busy));
    hears(&s, s.fresh, 2, "b1"); /* it was not in hand */
    struct worker *old = old_worker(&s);
    assert_int_equal(idmap_len(old->busy), 2);
    assert_int_equal(old->busy_bytes, 2 * (WIRE_HEAD + 2));
    say(&s, 0, "a3\n");
    say(&s, 1, "b2\n");
    hears(&s, s.fresh, 2, "b2");
    assert_int_equal(old->busy_bytes, 3 * (WIRE_HEAD + 2));
    tell(&s, CMD_RELEASE, 1, NULL, 0);
    hears(&s, s.fresh, 1, "a1");
    hears(&s, s.fresh, 1, "a2");
    hears(&s, s.fresh, 1, "a3");
    assert_int_equal(old->busy_bytes, 0);
    say(&s, 0, "a4\n");
    hears(&s, s.fresh, 1, "a4");
    tear_down(&s);
}

static void what_is_said_twice_counts_once(void **state)
{
    static const uint8_t busy[] = {0, 0, 0, 1};
    struct scene s;
    set_up(&s);
    tell(&s, CMD_DRAINED, 0, busy, sizeof(busy)); /* before it drains: nothing */
    assert_int_equal(old_worker(&s)->phase, WORKER_SERVING);
    tell(&s, CMD_RELEASE, 1, NULL, 0);
    drain(&s);
    tell(&s, CMD_DRAIN, 0, NULL, 0);
    tell(&s, CMD_RELEASE, 1, NULL, 0);
    tell(&s, CMD_DRAINED, 0, busy, sizeof(busy));
    tell(&s, CMD_DRAINED, 0, NULL, 0); /* the first list stays */
    say(&s, 0, "a1\n");
    assert_int_equal(old_worker(&s)->busy_bytes, WIRE_HEAD + 2);
    tell(&s, CMD_RELEASE, 1, NULL, 0);
    tell(&s, CMD_RELEASE, 1, NULL, 0);
    tell(&s, CMD_RELEASE, 2, NULL, 0);
    hears(&s, s.fresh, 1, "a1");
    assert_int_equal(old_worker(&s)->busy_bytes, 0);
    uint8_t more;
    assert_int_equal(recv(s.old, &more, 1, MSG_DONTWAIT), -1); /* one mark was all */
    tear_down(&s);
}

/* It dies before it let go of a client: what waited for that goes on, too. */
static void one_that_dies_releases_everybody(void **state)
{
    static const uint8_t busy[] = {0, 0, 0, 1, 0, 0, 0, 2};
    struct scene s;
    set_up(&s);
    drain(&s);
    say(&s, 1, "b1\n");
    tell(&s, CMD_DRAINED, 0, busy, sizeof(busy));
    say(&s, 0, "a1\n");
    say(&s, 1, "b2\n");
    shutdown(s.old, SHUT_RDWR);
    const char *next_of_b = "b1";
    for (int i = 0; i < 3; i++) { /* in whatever order of clients, b1 before b2 */
        struct wire_packet p = take_packet(&s.b, s.fresh, CMD_ON_MESSAGE);
        assert_true(span_is(p.body, p.connection_id == 1 ? "a1" : next_of_b));
        if (p.connection_id == 2)
            next_of_b = "b2";
    }
    tear_down(&s);
}

/* Its clients' ends are events like others: a released client's close comes behind its messages. */
static void a_client_may_leave_meanwhile(void **state)
{
    static const uint8_t busy[] = {0, 0, 0, 1};
    struct scene s;
    set_up(&s);
    drain(&s);
    tell(&s, CMD_DRAINED, 0, busy, sizeof(busy));
    say(&s, 0, "bye\n");
    shutdown(s.clients[0], SHUT_RDWR);
    turn(&s.b, 4);
    assert_null(clients_find(&s.g->clients, 1));
    tell(&s, CMD_RELEASE, 1, NULL, 0);
    hears(&s, s.fresh, 1, "bye");
    assert_int_equal(take_packet(&s.b, s.fresh, CMD_ON_CLOSE).connection_id, 1);
    assert_int_equal(old_worker(&s)->busy_bytes, 0);
    tear_down(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_follow_their_clients_in_order),
        cmocka_unit_test(what_is_said_twice_counts_once),
        cmocka_unit_test(one_that_dies_releases_everybody),
        cmocka_unit_test(a_client_may_leave_meanwhile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

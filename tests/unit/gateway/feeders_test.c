/* Clients that wait for a queue: paused once, resumed once, and gone ones are no trouble. */
#include "gateway/feeders.h"

#include "chan/chan.h"
#include "gateway_fixture.h"

enum { CLIENTS_N = 40 }; /* more than the first memory of a list holds */

struct scene {
    struct gateway_bench b;
    struct gateway *g;
    int worker;
    int fds[CLIENTS_N];
    struct feeders feeders;
};

static void set_up(struct scene *s)
{
    bench_start(&s->b, "");
    s->g = s->b.self;
    s->worker = attach(&s->b);
    for (int i = 0; i < CLIENTS_N; i++) {
        s->fds[i] = dial(&s->b, 0);
        take_packet(&s->b, s->worker, CMD_ON_CONNECT);
    }
    s->feeders = (struct feeders){0};
}

static void tear_down(struct scene *s)
{
    feeders_fini(&s->feeders);
    feeders_fini(&s->feeders);
    for (int i = 0; i < CLIENTS_N; i++)
        close(s->fds[i]);
    close(s->worker);
    bench_end(&s->b);
}

static struct client *client_of(const struct scene *s, uint32_t id)
{
    struct client *c = clients_find(&s->g->clients, id);
    assert_non_null(c);
    return c;
}

static void all_go_on_at_once(void **state)
{
    struct scene s;
    set_up(&s);
    for (uint32_t id = 1; id <= CLIENTS_N; id++)
        feeders_pause(&s.feeders, client_of(&s, id));
    put(s.fds[0], "hello\n", 6);
    turn(&s.b, 4);
    assert_int_equal(s.g->counts.requests_n, 0);
    feeders_resume_all(&s.feeders, &s.g->clients);
    assert_int_equal(s.feeders.len, 0);
    for (uint32_t id = 1; id <= CLIENTS_N; id++) {
        assert_false(client_of(&s, id)->is_paused);
        assert_false(conn_is_paused(chan_conn(client_of(&s, id)->chan)));
    }
    assert_true(span_is(take_packet(&s.b, s.worker, CMD_ON_MESSAGE).body, "hello"));
    tear_down(&s);
}

/* Each pause of a connection counts, and one resume must end it. */
static void who_is_paused_is_not_paused_again(void **state)
{
    struct scene s;
    set_up(&s);
    for (int i = 0; i < 3; i++)
        feeders_pause(&s.feeders, client_of(&s, 1));
    assert_int_equal(s.feeders.len, 1);
    feeders_resume_all(&s.feeders, &s.g->clients);
    assert_false(conn_is_paused(chan_conn(client_of(&s, 1)->chan)));
    tear_down(&s);
}

/* One that feeds two queues, as after a change of workers: the first that has room frees it, and
 * the second must not end a pause of somebody else's. */
static void of_two_lists_one_frees_it(void **state)
{
    struct scene s;
    struct feeders other = {0};
    set_up(&s);
    struct client *c = client_of(&s, 1);
    feeders_pause(&s.feeders, c);
    feeders_add(&other, c);
    feeders_resume_all(&s.feeders, &s.g->clients);
    conn_pause(chan_conn(c->chan)); /* for another reason */
    feeders_resume_all(&other, &s.g->clients);
    assert_true(conn_is_paused(chan_conn(c->chan)));
    conn_resume(chan_conn(c->chan));
    feeders_fini(&other);
    tear_down(&s);
}

static void who_is_gone_is_passed_over(void **state)
{
    struct scene s;
    set_up(&s);
    feeders_pause(&s.feeders, client_of(&s, 1));
    feeders_pause(&s.feeders, client_of(&s, 2));
    chan_destroy(client_of(&s, 1)->chan, 0);
    take_packet(&s.b, s.worker, CMD_ON_CLOSE);
    assert_null(clients_find(&s.g->clients, 1));
    feeders_resume_all(&s.feeders, &s.g->clients);
    assert_false(client_of(&s, 2)->is_paused);
    tear_down(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_go_on_at_once),
        cmocka_unit_test(who_is_paused_is_not_paused_again),
        cmocka_unit_test(of_two_lists_one_frees_it),
        cmocka_unit_test(who_is_gone_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

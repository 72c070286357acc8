/* Who gets the next client, and when a worker's memory goes. */
#include "gateway/workers.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "gateway/clients.h"

struct bench {
    struct workers workers;
    struct clients clients;
};

static int start(void **state)
{
    static struct bench b;
    b = (struct bench){0};
    clients_init(&b.clients);
    *state = &b;
    return 0;
}

static int end(void **state)
{
    struct bench *b = *state;
    uint32_t pos = 0;
    for (struct client *c = roster_next(&b->clients.all, &pos); c;
         c = roster_next(&b->clients.all, &pos))
        worker_client_closed(c);
    workers_fini(&b->workers);
    clients_fini(&b->clients);
    return 0;
}

static struct client *connect_client(struct bench *b)
{
    struct client *c = clients_add(&b->clients);
    worker_bind(workers_choose(&b->workers, ROUTER_LEAST), c);
    return c;
}

/* worker-gateway.json least_connections: the lowest record, ties to the first in the table. */
static void least_connections(void **state)
{
    struct bench *b = *state;
    struct worker *first = workers_add(&b->workers, span_str("h:BW:0"));
    struct worker *second = workers_add(&b->workers, span_str("h:BW:1"));
    assert_ptr_equal(connect_client(b)->worker, first);
    assert_ptr_equal(connect_client(b)->worker, second);
    struct client *third = connect_client(b);
    assert_ptr_equal(third->worker, first);
    assert_ptr_equal(connect_client(b)->worker, second);
    worker_client_closed(third);
    assert_int_equal(first->record, 1);
    assert_ptr_equal(connect_client(b)->worker, first);
    /* A new worker starts at 0 and is filled first. */
    struct worker *fresh = workers_add(&b->workers, span_str("h:BW:2"));
    assert_ptr_equal(connect_client(b)->worker, fresh);
    assert_ptr_equal(connect_client(b)->worker, fresh);
    assert_ptr_equal(connect_client(b)->worker, first);
}

static void only_serving_ones_are_chosen(void **state)
{
    struct bench *b = *state;
    struct worker *draining = workers_add(&b->workers, span_str("a"));
    struct worker *drained = workers_add(&b->workers, span_str("b"));
    draining->phase = WORKER_DRAINING;
    drained->phase = WORKER_DRAINED;
    for (int router = ROUTER_LEAST; router <= ROUTER_RANDOM; router++)
        assert_null(workers_choose(&b->workers, (enum gateway_router)router));
    struct worker *serving = workers_add(&b->workers, span_str("c"));
    for (int router = ROUTER_LEAST; router <= ROUTER_RANDOM; router++)
        for (int i = 0; i < 50; i++)
            assert_ptr_equal(workers_choose(&b->workers, (enum gateway_router)router), serving);
}

static void random_reaches_everybody(void **state)
{
    struct bench *b = *state;
    unsigned hits[3] = {0};
    for (int i = 0; i < 3; i++)
        workers_add(&b->workers, span_of(&"abc"[i], 1));
    for (int i = 0; i < 3000; i++) {
        const struct worker *w = workers_choose(&b->workers, ROUTER_RANDOM);
        hits[w->key[0] - 'a']++;
    }
    for (int i = 0; i < 3; i++)
        assert_in_range(hits[i], 700, 1300); /* 1000 ± 11 standard deviations */
}

static void a_record_never_falls_below_zero(void **state)
{
    struct bench *b = *state;
    struct worker *w = workers_add(&b->workers, span_str("k"));
    struct client *c = connect_client(b);
    w->record = 0; /* as after the same key connected again */
    worker_client_closed(c);
    assert_int_equal(w->record, 0);
    assert_int_equal(w->holders_n, 0);
}

/* Under a sanitizer this also proves that nothing is used after its end. */
static void a_gone_worker_lives_until_its_last_client_left(void **state)
{
    struct bench *b = *state;
    struct worker *w = workers_add(&b->workers, span_str("k"));
    struct client *c = connect_client(b), *d = connect_client(b);
    workers_retire(&b->workers, w);
    assert_int_equal(workers_len(&b->workers), 0);
    assert_null(workers_find(&b->workers, span_str("k")));
    assert_int_equal(c->worker->phase, WORKER_GONE);
    worker_bind(NULL, c);
    assert_null(c->worker);
    assert_int_equal(d->worker->holders_n, 1);
    worker_client_closed(d);
    assert_null(d->worker);
}

static void keys_name_workers(void **state)
{
    struct bench *b = *state;
    struct worker *w = workers_add(&b->workers, span_str("127.0.0.1:BW:0"));
    assert_ptr_equal(workers_find(&b->workers, span_str("127.0.0.1:BW:0")), w);
    assert_null(workers_find(&b->workers, span_str("127.0.0.2:BW:0")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(least_connections, start, end),
        cmocka_unit_test_setup_teardown(only_serving_ones_are_chosen, start, end),
        cmocka_unit_test_setup_teardown(random_reaches_everybody, start, end),
        cmocka_unit_test_setup_teardown(a_record_never_falls_below_zero, start, end),
        cmocka_unit_test_setup_teardown(a_gone_worker_lives_until_its_last_client_left, start, end),
        cmocka_unit_test_setup_teardown(keys_name_workers, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Order and positions of a roster while members come and go. */
#include "gateway/roster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/clients.h"
#include "support/allocs.h"

static size_t walk(const struct roster *r, uint32_t *ids, size_t max_n)
{
    size_t n = 0;
    uint32_t pos = 0;
    for (struct client *c = roster_next(r, &pos); c && n < max_n; c = roster_next(r, &pos))
        ids[n++] = c->id;
    return n;
}

static void keeps_joining_order(void **state)
{
    struct roster r = {0};
    struct client all[40] = {0};
    for (uint32_t i = 0; i < 40; i++) {
        all[i].id = i;
        all[i].pos = roster_add(&r, &all[i]);
    }
    /* Most leave, so that the array closes up at least once; every fifth stays. */
    for (uint32_t i = 0; i < 40; i++)
        if (i % 5 != 0)
            roster_remove(&r, all[i].pos, &clients_keeper);
    uint32_t ids[40];
    assert_int_equal(walk(&r, ids, 40), 8);
    for (uint32_t i = 0; i < 8; i++)
        assert_int_equal(ids[i], i * 5);
    assert_int_equal(r.live_n, 8);
    assert_in_range(r.len, 8, 17);
    roster_fini(&r);
}

static void one_member_needs_no_memory(void **state)
{
    struct roster r = {0};
    struct client c = {.id = 1}, d = {.id = 2};
    struct allocs mark = allocs_mark();
    for (int i = 0; i < 3; i++) {
        c.pos = roster_add(&r, &c);
        roster_remove(&r, c.pos, &clients_keeper);
    }
    c.pos = roster_add(&r, &c);
    assert_int_equal(allocs_since(mark), 0);
    d.pos = roster_add(&r, &d);
    uint32_t ids[2];
    assert_int_equal(walk(&r, ids, 2), 2);
    assert_int_equal(ids[0], 1);
    assert_int_equal(ids[1], 2);
    roster_remove(&r, c.pos, &clients_keeper);
    assert_int_equal(walk(&r, ids, 2), 1);
    assert_int_equal(ids[0], 2);
    roster_fini(&r);
}

static void who_returns_goes_to_the_end(void **state)
{
    struct roster r = {0};
    struct client all[3] = {{.id = 1}, {.id = 2}, {.id = 3}};
    for (size_t i = 0; i < 3; i++)
        all[i].pos = roster_add(&r, &all[i]);
    roster_remove(&r, all[0].pos, &clients_keeper);
    all[0].pos = roster_add(&r, &all[0]);
    uint32_t ids[3];
    assert_int_equal(walk(&r, ids, 3), 3);
    assert_int_equal(ids[0], 2);
    assert_int_equal(ids[1], 3);
    assert_int_equal(ids[2], 1);
    roster_fini(&r);
}

/* Against a plain model, with positions checked after every step. */
static void agrees_with_a_model(void **state)
{
    enum { N = 200, STEPS = 20000 };
    struct roster r = {0};
    struct client *all = calloc(N, sizeof(*all));
    uint32_t order[N];
    uint32_t len = 0;
    srand(7);
    for (uint32_t i = 0; i < N; i++)
        all[i].id = i;
    for (int step = 0; step < STEPS; step++) {
        uint32_t who = (uint32_t)rand() % N, at = 0;
        while (at < len && order[at] != who)
            at++;
        if (at == len) {
            order[len++] = who;
            all[who].pos = roster_add(&r, &all[who]);
        } else {
            for (len--; at < len; at++)
                order[at] = order[at + 1];
            roster_remove(&r, all[who].pos, &clients_keeper);
        }
        assert_int_equal(r.live_n, len);
        uint32_t pos = 0;
        for (uint32_t i = 0; i < len; i++) {
            assert_int_equal(roster_next(&r, &pos)->id, order[i]);
            assert_ptr_equal(roster_slots(&r)[all[order[i]].pos], &all[order[i]]);
        }
        assert_null(roster_next(&r, &pos));
    }
    free(all);
    roster_fini(&r);
}

static void gives_memory_back(void **state)
{
    enum { N = 100000 };
    struct roster r = {0};
    struct client *all = calloc(N, sizeof(*all));
    for (size_t i = 0; i < N; i++)
        all[i].pos = roster_add(&r, &all[i]);
    for (size_t i = 0; i < N; i++)
        roster_remove(&r, all[i].pos, &clients_keeper);
    assert_int_equal(r.len, 0);
    assert_in_range(r.cap, 0, 64);
    free(all);
    roster_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_joining_order),         cmocka_unit_test(one_member_needs_no_memory),
        cmocka_unit_test(who_returns_goes_to_the_end), cmocka_unit_test(agrees_with_a_model),
        cmocka_unit_test(gives_memory_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Tours: whoever was there when one began and still is, once each, whatever happens meanwhile. */
#include "gateway/tour.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/keyed.h"
#include "gateway/groups.h"

enum { MANY = 100 };

struct bench {
    struct clients clients;
    struct groups groups;
    struct client *all[MANY + 1]; /* by id */
};

static int set_up(void **state)
{
    static struct bench b;
    clients_init(&b.clients);
    groups_init(&b.groups, MEMBER_GROUP);
    for (uint32_t id = 1; id <= MANY; id++) {
        b.all[id] = clients_add(&b.clients);
        groups_join(&b.groups, b.all[id], span_str("room"));
    }
    *state = &b;
    return 0;
}

static void leave(struct bench *b, uint32_t id)
{
    groups_leave_all(&b->groups, b->all[id]);
    clients_remove(&b->clients, b->all[id]);
    b->all[id] = NULL;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    for (uint32_t id = 1; id <= MANY; id++)
        if (b->all[id])
            leave(b, id);
    assert_int_equal(groups_len(&b->groups), 0);
    assert_int_equal(keyed_len(b->groups.disbanded), 0);
    groups_fini(&b->groups);
    clients_fini(&b->clients);
    return 0;
}

static struct tour tour_of_room(struct bench *b)
{
    struct tour t;
    tour_begin_group(&t, &b->groups, groups_find(&b->groups, span_str("room")));
    return t;
}

static void check_next(struct tour *t, uint32_t id)
{
    const struct client *c = tour_next(t);
    assert_int_equal(c ? c->id : 0, id); /* 0: the end */
}

static void nobody_is_visited_of_no_group(void **state)
{
    struct bench *b = *state;
    struct tour t;
    tour_begin_group(&t, &b->groups, NULL);
    check_next(&t, 0);
    tour_end(&t);
    tour_end(&t);
    t = (struct tour){0};
    check_next(&t, 0);
    tour_end(&t);
}

/* So many leave in the middle that the list would close up, and every position change. */
static void who_leaves_is_passed_over(void **state)
{
    struct bench *b = *state;
    struct tour t = tour_of_room(b);
    check_next(&t, 1);
    check_next(&t, 2);
    for (uint32_t id = 1; id <= MANY; id++)
        if (id % 10 != 0)
            leave(b, id);
    for (uint32_t id = 10; id <= MANY; id += 10)
        check_next(&t, id);
    check_next(&t, 0);
    check_next(&t, 0);
    assert_true(t.members->len > t.members->live_n);
    const struct roster *members = t.members;
    tour_end(&t);
    assert_int_equal(members->live_n, MANY / 10);
    assert_in_range(members->len, MANY / 10, MANY / 5); /* the holes are gone with the tour */
}

static void who_joins_later_stands_behind_the_end(void **state)
{
    struct bench *b = *state;
    struct tour t = tour_of_room(b);
    groups_leave(&b->groups, b->all[3], span_str("room"));
    groups_join(&b->groups, b->all[3], span_str("room")); /* comes back: as one who joins */
    for (uint32_t id = 1; id <= MANY; id++)
        if (id != 3)
            check_next(&t, id);
    check_next(&t, 0);
    tour_end(&t);
}

/* The last one goes, and with it the group: it stays for the tour and is freed behind it. */
static void a_group_outlives_its_members_for_a_tour(void **state)
{
    struct bench *b = *state;
    struct tour t = tour_of_room(b);
    check_next(&t, 1);
    for (uint32_t id = 1; id <= MANY; id++)
        groups_leave_all(&b->groups, b->all[id]);
    check_next(&t, 0);
    groups_join(&b->groups, b->all[5], span_str("room"));
    check_next(&t, 0);
    tour_end(&t);
    t = tour_of_room(b);
    check_next(&t, 5);
    tour_end(&t);
}

static void tours_do_not_disturb_each_other(void **state)
{
    struct bench *b = *state;
    struct tour first = tour_of_room(b), second = tour_of_room(b);
    for (uint32_t id = 1; id <= 50; id++)
        check_next(&first, id);
    for (uint32_t id = 2; id <= MANY; id += 2)
        leave(b, id);
    tour_end(&first); /* the other one still counts on positions */
    for (uint32_t id = 1; id <= MANY; id += 2)
        check_next(&second, id);
    check_next(&second, 0);
    tour_end(&second);
}

static void everybody_can_be_visited(void **state)
{
    struct bench *b = *state;
    struct tour t;
    tour_begin(&t, &b->clients.all);
    leave(b, 1);
    b->all[1] = clients_add(&b->clients); /* takes no place that is still walked over */
    for (uint32_t id = 2; id <= MANY; id++)
        check_next(&t, id);
    check_next(&t, 0);
    tour_end(&t);
    tour_end(&t);
}

#define TOUR_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TOUR_TEST(nobody_is_visited_of_no_group),
        TOUR_TEST(who_leaves_is_passed_over),
        TOUR_TEST(who_joins_later_stands_behind_the_end),
        TOUR_TEST(a_group_outlives_its_members_for_a_tour),
        TOUR_TEST(tours_do_not_disturb_each_other),
        TOUR_TEST(everybody_can_be_visited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

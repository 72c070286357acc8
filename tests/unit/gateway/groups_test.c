/* Groups and uids: who is in what, in which order, and that nothing is left behind. */
#include "gateway/groups.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/keyed.h"
#include "base/pool.h"
#include "gateway/tour.h"

struct bench {
    struct clients clients;
    struct groups groups;
};

static int start(void **state)
{
    static struct bench b;
    clients_init(&b.clients);
    groups_init(&b.groups, MEMBER_GROUP);
    *state = &b;
    return 0;
}

static int end(void **state)
{
    struct bench *b = *state;
    uint32_t pos = 0;
    for (struct client *c = roster_next(&b->clients.all, &pos); c;
         c = roster_next(&b->clients.all, &pos))
        groups_leave_all(&b->groups, c);
    assert_int_equal(groups_len(&b->groups), 0);
    assert_int_equal(keyed_len(b->groups.crowds), 0);
    assert_int_equal(keyed_len(b->groups.disbanded), 0);
    assert_int_equal(pool_used_n(b->groups.pool), 0);
    groups_fini(&b->groups);
    clients_fini(&b->clients);
    return 0;
}

/* "a b c": names of the client's groups in its order. */
static const char *groups_text(const struct bench *b, const struct client *c)
{
    static char text[256];
    int n = 0;
    text[0] = '\0';
    for (const struct membership *m = groups_of(&b->groups, c, NULL); m;
         m = groups_of(&b->groups, c, m))
        n += snprintf(text + n, sizeof(text) - (size_t)n, "%s%.*s", n ? " " : "",
                      (int)group_name(m->group).len, (const char *)group_name(m->group).at);
    return text;
}

static const char *members_text(const struct bench *b, const char *name)
{
    static char text[256];
    int n = 0;
    text[0] = '\0';
    const struct group *g = groups_find(&b->groups, span_str(name));
    uint32_t pos = 0;
    for (struct client *c = g ? roster_next(&g->members, &pos) : NULL; c;
         c = roster_next(&g->members, &pos))
        n += snprintf(text + n, sizeof(text) - (size_t)n, "%s%u", n ? " " : "", c->id);
    return text;
}

static void members_stand_in_joining_order(void **state)
{
    struct bench *b = *state;
    struct client *c1 = clients_add(&b->clients), *c2 = clients_add(&b->clients);
    struct client *c3 = clients_add(&b->clients);
    groups_join(&b->groups, c2, span_str("room"));
    groups_join(&b->groups, c1, span_str("room"));
    groups_join(&b->groups, c3, span_str("room"));
    groups_join(&b->groups, c2, span_str("room")); /* again: nothing */
    assert_string_equal(members_text(b, "room"), "2 1 3");
    groups_leave(&b->groups, c2, span_str("room"));
    groups_join(&b->groups, c2, span_str("room"));
    assert_string_equal(members_text(b, "room"), "1 3 2");
}

static void a_client_lists_its_groups_in_joining_order(void **state)
{
    struct bench *b = *state;
    struct client *c = clients_add(&b->clients);
    groups_join(&b->groups, c, span_str("b"));
    groups_join(&b->groups, c, span_str("a"));
    groups_join(&b->groups, c, span_str("0"));
    assert_string_equal(groups_text(b, c), "b a 0");
    groups_leave(&b->groups, c, span_str("b"));
    assert_string_equal(groups_text(b, c), "a 0");
    groups_join(&b->groups, c, span_str("b"));
    assert_string_equal(groups_text(b, c), "a 0 b");
    groups_leave(&b->groups, c, span_str("never"));
    assert_string_equal(groups_text(b, c), "a 0 b");
}

/* Of a ring alone, of one with a crowd, and of what is left when the first of them are gone. */
static void groups_of_a_client_are_counted(void **state)
{
    struct bench *b = *state;
    struct client *c = clients_add(&b->clients);
    char name[8];
    for (int i = 0; i < 9; i++) {
        assert_int_equal(groups_of_n(&b->groups, c), i);
        assert_false(groups_has(&b->groups, c, span_of(name, (size_t)sprintf(name, "g%d", i))));
        groups_join(&b->groups, c, span_str(name));
        assert_true(groups_has(&b->groups, c, span_str(name)));
    }
    for (int i = 0; i < 9; i++) {
        assert_int_equal(groups_of_n(&b->groups, c), 9 - i);
        groups_leave(&b->groups, c, span_of(name, (size_t)sprintf(name, "g%d", i)));
        assert_false(groups_has(&b->groups, c, span_str(name)));
    }
    assert_int_equal(groups_of_n(&b->groups, c), 0);
}

/* Few and many at a time, against a plain model: the ring alone, the crowd, and in between. */
static void a_client_in_many_groups_agrees_with_a_model(void **state)
{
    enum { NAMES = 12, STEPS = 20000 };
    struct bench *b = *state;
    struct client *c = clients_add(&b->clients), *d = clients_add(&b->clients);
    char model[NAMES + 1] = "", want[2 * NAMES + 1];
    srand(11);
    for (int step = 0; step < STEPS; step++) {
        int reach = step / 500 % 2 ? NAMES : GROUPS_RING_MAX + 1;
        char name = (char)('a' + rand() % reach);
        char *at = strchr(model, name);
        if (at && rand() % 2) {
            groups_leave(&b->groups, c, span_of(&name, 1));
            memmove(at, at + 1, strlen(at));
        } else {
            groups_join(&b->groups, c, span_of(&name, 1));
            if (!at)
                strncat(model, &name, 1);
        }
        if (step % 7 == 0)
            groups_join(&b->groups, d, span_of(&name, 1));
        size_t n = strlen(model);
        for (size_t i = 0; i < n; i++) {
            want[2 * i] = model[i];
            want[2 * i + 1] = ' ';
        }
        want[n ? 2 * n - 1 : 0] = '\0';
        assert_string_equal(groups_text(b, c), want);
    }
}

/* Whose members close up while each of them is in many other groups, too. */
static void positions_are_kept_in_a_crowd(void **state)
{
    enum { CLIENTS = 100, GROUPS = 2 * GROUPS_RING_MAX };
    struct bench *b = *state;
    struct client *all[CLIENTS];
    char name[8];
    for (int i = 0; i < CLIENTS; i++) {
        all[i] = clients_add(&b->clients);
        for (int k = 0; k < GROUPS; k++)
            groups_join(
                &b->groups, all[i],
                span_of(name, (size_t)snprintf(name, sizeof name, "g%d", (i + k) % GROUPS)));
    }
    for (int k = 0; k < GROUPS; k++) {
        snprintf(name, sizeof name, "g%d", k);
        for (int i = 0; i < CLIENTS; i++)
            if (i % 10 != 3)
                groups_leave(&b->groups, all[i], span_str(name));
        assert_string_equal(members_text(b, name), "4 14 24 34 44 54 64 74 84 94");
    }
}

/* vectors/README.md: when a group loses its last member, its place in the order is lost too. */
static void an_empty_group_is_forgotten(void **state)
{
    struct bench *b = *state;
    struct client *c = clients_add(&b->clients), *d = clients_add(&b->clients);
    groups_join(&b->groups, c, span_str("one"));
    groups_join(&b->groups, d, span_str("two"));
    groups_leave(&b->groups, c, span_str("one"));
    assert_null(groups_find(&b->groups, span_str("one")));
    groups_join(&b->groups, c, span_str("one"));
    size_t pos = 0;
    assert_memory_equal(groups_next(&b->groups, &pos)->name, "two", 3);
    assert_memory_equal(groups_next(&b->groups, &pos)->name, "one", 3);
    assert_null(groups_next(&b->groups, &pos));
}

static void names_are_bytes_up_to_255(void **state)
{
    struct bench *b = *state;
    struct client *c = clients_add(&b->clients);
    uint8_t name[NAME_MAX_BYTES];
    for (size_t i = 0; i < sizeof(name); i++)
        name[i] = (uint8_t)i;
    groups_join(&b->groups, c, span_of(name, sizeof(name)));
    groups_join(&b->groups, c, span_of(name, 1)); /* one NUL */
    const struct group *g = groups_find(&b->groups, span_of(name, sizeof(name)));
    assert_non_null(g);
    assert_int_equal(g->members.live_n, 1);
    assert_memory_equal(group_name(g).at, name, sizeof(name));
    assert_int_equal(groups_len(&b->groups), 2);
}

/* Without a name at once; memory goes as the members leave, whoever joins anew meanwhile. */
static void a_disbanded_group_is_none(void **state)
{
    struct bench *b = *state;
    struct client *c = clients_add(&b->clients), *d = clients_add(&b->clients);
    groups_join(&b->groups, c, span_str("gone"));
    groups_join(&b->groups, c, span_str("stays"));
    groups_join(&b->groups, d, span_str("gone"));
    struct tour tour;
    struct group *gone = groups_find(&b->groups, span_str("gone"));
    tour_begin_group(&tour, &b->groups, gone);
    groups_disband(&b->groups, gone);
    assert_string_equal(groups_text(b, c), "stays");
    assert_string_equal(groups_text(b, d), "");
    assert_null(groups_find(&b->groups, span_str("gone")));
    assert_string_equal(members_text(b, "stays"), "1");
    groups_join(&b->groups, c, span_str("gone"));
    assert_string_equal(groups_text(b, c), "stays gone");
    assert_string_equal(members_text(b, "gone"), "1");
    groups_leave_all(&b->groups, d);
    assert_ptr_equal(tour_next(&tour), c);
    groups_expel(&b->groups, gone, c);
    assert_null(tour_next(&tour));
    tour_end(&tour);
    assert_string_equal(groups_text(b, c), "stays gone");
    assert_int_equal(groups_len(&b->groups), 2);
}

/* Another command creates and ends groups while the list is walked. */
static void a_held_list_keeps_its_places(void **state)
{
    enum { N = 100 };
    struct bench *b = *state;
    struct client *c = clients_add(&b->clients);
    char name[16];
    for (int i = 0; i < N; i++)
        groups_join(&b->groups, c, span_of(name, (size_t)snprintf(name, sizeof name, "g%d", i)));
    size_t pos = 0;
    groups_hold(&b->groups);
    for (int i = 0; i < N; i++) {
        snprintf(name, sizeof name, "g%d", i);
        const struct group *g = groups_next(&b->groups, &pos);
        assert_true(span_is(group_name(g), name));
        groups_leave(&b->groups, c, span_str(name));
        for (int k = 0; k < 5; k++) {
            snprintf(name, sizeof name, "new%d.%d", i, k);
            groups_join(&b->groups, c, span_str(name));
        }
    }
    assert_true(span_is(group_name(groups_next(&b->groups, &pos)), "new0.0"));
    groups_let_go(&b->groups);
    assert_int_equal(groups_len(&b->groups), 5 * N);
}

/* A million members join and leave in an order that a list searched from the front would take
 * hours for; 60 s are allowed for the whole program. */
static void a_million_members(void **state)
{
    enum { N = 1000000 };
    struct bench *b = *state;
    for (uint32_t i = 0; i < N; i++)
        groups_join(&b->groups, clients_add(&b->clients), span_str("all"));
    const struct group *g = groups_find(&b->groups, span_str("all"));
    assert_int_equal(g->members.live_n, N);
    for (uint32_t id = N; id > 0; id -= 2)
        groups_leave(&b->groups, clients_find(&b->clients, id), span_str("all"));
    assert_int_equal(g->members.live_n, N / 2);
    uint32_t pos = 0, expected = 1;
    for (struct client *c = roster_next(&g->members, &pos); c;
         c = roster_next(&g->members, &pos), expected += 2)
        assert_int_equal(c->id, expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(members_stand_in_joining_order, start, end),
        cmocka_unit_test_setup_teardown(a_client_lists_its_groups_in_joining_order, start, end),
        cmocka_unit_test_setup_teardown(groups_of_a_client_are_counted, start, end),
        cmocka_unit_test_setup_teardown(a_client_in_many_groups_agrees_with_a_model, start, end),
        cmocka_unit_test_setup_teardown(positions_are_kept_in_a_crowd, start, end),
        cmocka_unit_test_setup_teardown(an_empty_group_is_forgotten, start, end),
        cmocka_unit_test_setup_teardown(names_are_bytes_up_to_255, start, end),
        cmocka_unit_test_setup_teardown(a_disbanded_group_is_none, start, end),
        cmocka_unit_test_setup_teardown(a_held_list_keeps_its_places, start, end),
        cmocka_unit_test_setup_teardown(a_million_members, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

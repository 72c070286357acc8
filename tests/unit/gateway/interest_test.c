/* interest: first and last members, told once per turn to whoever watches. */
#include "gateway/interest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct scene {
    struct loop *loop;
    struct clients clients;
    struct groups groups, uids;
    struct interest interest;
    struct interest_watch watch;
    char heard[256];
};

static void on_change(struct interest_watch *w, enum member_kind kind, struct span name,
                      bool is_held)
{
    struct scene *s = CONTAINER_OF(w, struct scene, watch);
    size_t len = strlen(s->heard);
    snprintf(s->heard + len, sizeof s->heard - len, "%c%s%.*s ", is_held ? '+' : '-',
             kind == MEMBER_UID ? "uid:" : "", (int)name.len, (const char *)name.at);
}

static void on_end(struct interest_watch *w)
{
    strcat(CONTAINER_OF(w, struct scene, watch)->heard, ".");
}

static void open_scene(struct scene *s)
{
    *s = (struct scene){.loop = loop_new(), .watch = {.on_change = on_change, .on_end = on_end}};
    clients_init(&s->clients);
    groups_init(&s->groups, MEMBER_GROUP);
    groups_init(&s->uids, MEMBER_UID);
    interest_init(&s->interest, s->loop, &s->groups, &s->uids);
    interest_watch(&s->interest, &s->watch);
}

static void close_scene(struct scene *s)
{
    uint32_t pos = 0;
    for (struct client *c = roster_next(&s->clients.all, &pos); c;
         c = roster_next(&s->clients.all, &pos)) {
        groups_leave_all(&s->groups, c);
        groups_leave_all(&s->uids, c);
    }
    interest_unwatch(&s->interest, &s->watch);
    interest_fini(&s->interest);
    groups_fini(&s->groups);
    groups_fini(&s->uids);
    clients_fini(&s->clients);
    loop_free(s->loop);
}

static void turn_and_hear(struct scene *s, const char *what)
{
    assert_true(loop_turn(s->loop, 0) >= 0);
    assert_string_equal(s->heard, what);
    s->heard[0] = '\0';
}

static void the_first_comes_and_the_last_goes(void **state)
{
    struct scene s;
    open_scene(&s);
    struct client *a = clients_add(&s.clients), *b = clients_add(&s.clients);
    groups_join(&s.groups, a, span_str("r"));
    groups_join(&s.uids, a, span_str("u"));
    turn_and_hear(&s, "+r +uid:u .");
    groups_join(&s.groups, b, span_str("r"));
    groups_leave(&s.groups, a, span_str("r"));
    turn_and_hear(&s, "");
    groups_leave_all(&s.groups, b);
    turn_and_hear(&s, "-r .");
    close_scene(&s);
}

static void what_comes_and_goes_in_a_turn_is_nothing(void **state)
{
    struct scene s;
    open_scene(&s);
    struct client *a = clients_add(&s.clients);
    groups_join(&s.groups, a, span_str("r"));
    groups_leave(&s.groups, a, span_str("r"));
    turn_and_hear(&s, ".");
    groups_join(&s.groups, a, span_str("r"));
    turn_and_hear(&s, "+r .");
    groups_leave(&s.groups, a, span_str("r"));
    groups_join(&s.groups, a, span_str("r"));
    groups_leave(&s.groups, a, span_str("r"));
    groups_join(&s.groups, a, span_str("r"));
    turn_and_hear(&s, ".");
    close_scene(&s);
}

/* It has no name any more, though its members leave later. */
static void a_dissolved_group_is_gone_at_once(void **state)
{
    struct scene s;
    open_scene(&s);
    struct client *a = clients_add(&s.clients);
    groups_join(&s.groups, a, span_str("r"));
    turn_and_hear(&s, "+r .");
    struct group *g = groups_find(&s.groups, span_str("r"));
    group_hold(g);
    groups_disband(&s.groups, g);
    turn_and_hear(&s, "-r .");
    groups_expel(&s.groups, g, a);
    group_let_go(&s.groups, g);
    turn_and_hear(&s, "");
    close_scene(&s);
}

static void who_does_not_watch_hears_nothing(void **state)
{
    struct scene s;
    open_scene(&s);
    struct client *a = clients_add(&s.clients);
    interest_unwatch(&s.interest, &s.watch);
    groups_join(&s.groups, a, span_str("r"));
    turn_and_hear(&s, "");
    interest_watch(&s.interest, &s.watch);
    interest_will_tell(&s.interest);
    turn_and_hear(&s, ".");
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_comes_and_the_last_goes),
        cmocka_unit_test(what_comes_and_goes_in_a_turn_is_nothing),
        cmocka_unit_test(a_dissolved_group_is_gone_at_once),
        cmocka_unit_test(who_does_not_watch_hears_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

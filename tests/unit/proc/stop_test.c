/* The order in which a graceful stop asks the roles to finish. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proc/process.h"
#include "proc/stop.h"

enum { ROLES_N = 4 };

static const struct role roles[ROLES_N] = {
    {.kind = "registry", .start_order = ROLE_ORDER_REGISTRY},
    {.kind = "gateway", .start_order = ROLE_ORDER_GATEWAY},
    {.kind = "worker", .start_order = ROLE_ORDER_WORKER},
    {.kind = "web", .start_order = ROLE_ORDER_WEB},
};

/* A fleet of one process per role, in memory only: whoever is asked to leave has is_leaving. */
struct scene {
    struct fleet fleet;
    struct master_conf settings;
    struct group groups[ROLES_N];
    struct slot slots[ROLES_N];
    struct process processes[ROLES_N];
    struct stop stop;
};

static void on_change(void *owner)
{
}

static void announce(struct task *t)
{
}

static void set_up(struct scene *s)
{
    *s = (struct scene){.settings = {.stop_timeout_ms = 2000, .graceful_timeout_ms = 30000}};
    s->fleet = (struct fleet){.settings = &s->settings, .loop = loop_new(), .on_change = on_change};
    s->fleet.changed.run = announce;
    assert_non_null(s->fleet.loop);
    list_init(&s->fleet.processes);
    for (int i = 0; i < ROLES_N; i++) {
        s->groups[i].role = &roles[i];
        s->slots[i] = (struct slot){.fleet = &s->fleet, .group = &s->groups[i]};
        s->processes[i].slot = &s->slots[i];
        list_append(&s->fleet.processes, &s->processes[i].node);
    }
    s->stop.fleet = &s->fleet;
}

static void tear_down(struct scene *s)
{
    for (int i = 0; i < ROLES_N; i++)
        timer_stop(s->fleet.loop, &s->processes[i].deadline);
    loop_free(s->fleet.loop);
}

static void end(struct scene *s, int role)
{
    timer_stop(s->fleet.loop, &s->processes[role].deadline);
    list_remove(&s->processes[role].node);
}

/* Who has been asked so far, one letter per role. */
static const char *asked(const struct scene *s)
{
    static char text[ROLES_N + 1];
    for (int i = 0; i < ROLES_N; i++)
        text[i] = "RGWw"[i];
    for (int i = 0; i < ROLES_N; i++)
        if (!s->processes[i].is_leaving)
            text[i] = '-';
    return text;
}

static void test_graceful_order(void **state)
{
    struct scene s;
    set_up(&s);
    stop_begin(&s.stop, true);
    assert_true(s.fleet.is_stopping);
    assert_false(stop_step(&s.stop));
    assert_string_equal(asked(&s), "---w");
    assert_false(stop_step(&s.stop));
    assert_string_equal(asked(&s), "---w");
    end(&s, ROLE_ORDER_WEB);
    assert_false(stop_step(&s.stop)); /* a gateway whose line is gone holds nobody up */
    assert_string_equal(asked(&s), "-GWw");
    end(&s, ROLE_ORDER_WORKER);
    assert_false(stop_step(&s.stop));
    assert_string_equal(asked(&s), "-GWw");
    end(&s, ROLE_ORDER_GATEWAY);
    assert_false(stop_step(&s.stop));
    assert_string_equal(asked(&s), "RGWw");
    end(&s, ROLE_ORDER_REGISTRY);
    assert_true(stop_step(&s.stop));
    tear_down(&s);
}

static void test_plain_stop_asks_all_at_once(void **state)
{
    struct scene s;
    set_up(&s);
    assert_false(stop_step(&s.stop)); /* nobody asked for a stop yet */
    stop_begin(&s.stop, false);
    assert_string_equal(asked(&s), "RGWw");
    assert_true(s.processes[0].is_last_deadline);
    tear_down(&s);
}

static void test_plain_stop_overtakes_a_graceful_one(void **state)
{
    struct scene s;
    set_up(&s);
    stop_begin(&s.stop, true);
    assert_false(stop_step(&s.stop));
    stop_begin(&s.stop, true); /* again: nothing new */
    assert_string_equal(asked(&s), "---w");
    stop_begin(&s.stop, false);
    assert_string_equal(asked(&s), "RGWw");
    stop_begin(&s.stop, true);
    assert_false(s.stop.is_graceful);
    tear_down(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_graceful_order),
        cmocka_unit_test(test_plain_stop_asks_all_at_once),
        cmocka_unit_test(test_plain_stop_overtakes_a_graceful_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Connection ids and sessions. */
#include "gateway/clients.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static int start(void **state)
{
    static struct clients clients;
    clients_init(&clients);
    *state = &clients;
    return 0;
}

static int end(void **state)
{
    clients_fini(*state);
    return 0;
}

static void ids_count_from_one_and_are_not_reused(void **state)
{
    struct clients *t = *state;
    assert_int_equal(clients_add(t)->id, 1);
    struct client *second = clients_add(t);
    assert_int_equal(second->id, 2);
    clients_remove(t, second);
    assert_int_equal(clients_add(t)->id, 3);
    assert_null(clients_find(t, 2));
    assert_int_equal(clients_len(t), 2);
}

/* As in the original: 32 bits, wrap to 1, ids in use are skipped. */
static void ids_wrap_and_skip_those_in_use(void **state)
{
    struct clients *t = *state;
    assert_int_equal(clients_add(t)->id, 1);
    assert_int_equal(clients_add(t)->id, 2);
    t->last_id = UINT32_MAX - 1;
    assert_int_equal(clients_add(t)->id, UINT32_MAX);
    assert_int_equal(clients_add(t)->id, 3);
}

static void starts_silent_and_unbound(void **state)
{
    struct client *c = clients_add(*state);
    assert_int_equal(c->silent_n, -1);
    assert_null(c->worker);
    assert_null(c->memberships[MEMBER_GROUP]);
    assert_null(c->memberships[MEMBER_UID]);
    assert_int_equal(client_session(c).len, 0);
    assert_false(c->had_groups);
}

static void sessions_are_bytes(void **state)
{
    struct client *c = clients_add(*state);
    static const uint8_t bytes[] = {'a', 0, 0xff};
    assert_int_equal(client_set_session(c, span_of(bytes, 3)), 0);
    assert_int_equal(client_session(c).len, 3);
    assert_memory_equal(client_session(c).at, bytes, 3);
    assert_int_equal(client_set_session(c, span_str("x")), 0);
    assert_int_equal(client_session(c).len, 1);
    assert_int_equal(client_set_session(c, span_str("")), 0);
    assert_null(c->session);
}

/* The new bytes may lie in the old session. */
static void a_session_may_be_set_to_a_part_of_itself(void **state)
{
    struct client *c = clients_add(*state);
    assert_int_equal(client_set_session(c, span_str("abcdef")), 0);
    assert_int_equal(client_set_session(c, span_skip(client_session(c), 3)), 0);
    assert_memory_equal(client_session(c).at, "def", 3);
}

static void walks_in_connecting_order(void **state)
{
    struct clients *t = *state;
    struct client *all[5];
    for (size_t i = 0; i < 5; i++)
        all[i] = clients_add(t);
    clients_remove(t, all[2]);
    uint32_t pos = 0, last = 0, n = 0;
    for (struct client *c = roster_next(&t->all, &pos); c; c = roster_next(&t->all, &pos), n++) {
        assert_true(c->id > last);
        last = c->id;
    }
    assert_int_equal(n, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ids_count_from_one_and_are_not_reused, start, end),
        cmocka_unit_test_setup_teardown(ids_wrap_and_skip_those_in_use, start, end),
        cmocka_unit_test_setup_teardown(starts_silent_and_unbound, start, end),
        cmocka_unit_test_setup_teardown(sessions_are_bytes, start, end),
        cmocka_unit_test_setup_teardown(a_session_may_be_set_to_a_part_of_itself, start, end),
        cmocka_unit_test_setup_teardown(walks_in_connecting_order, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* redis: greeting, commands and their answers, a server that is away, mute, rude or refusing. */
#include "store/redis.h"

#include "fake_redis.h"

#include <stdio.h>

#include <gw/err.h>

#include "base/mem.h"
#include "store/store.h"

static struct stores stores;
static struct gw_store *store;

static int setup(void **state)
{
    fixture_setup(state);
    stores_init(&stores, fx.host, NULL);
    return 0;
}

static int teardown(void **state)
{
    stores_fini(&stores);
    fake_close();
    (void)loop_turn(fx.loop, 0);
    return fixture_teardown(state);
}

static void open_store(const char *login, uint16_t port, const char *rest)
{
    char url[128];
    snprintf(url, sizeof url, "redis://%s127.0.0.1:%u%s", login, port, rest);
    store = stores_open(&stores, url);
    assert_non_null(store);
}

static void assert_got(const char *expected)
{
    assert_string_equal(buf_cstr(&fake.got), expected);
}

/* ---- the first call waits for the greeting ---- */

static void count_k(void *arg)
{
    int64_t *count = arg;
    *count = gw_store_count(store, gw_str("k"));
}

static void the_greeting_logs_in_and_selects(void **state)
{
    static const char *const script[] = {"+OK\r\n", "+OK\r\n", "+PONG\r\n", ":7\r\n", NULL};
    int64_t count = 0;
    fake_listen(script);
    open_store("app:pa%20ss@", fake.port, "/3");
    run_co(count_k, &count);
    assert_int_equal(count, 7);
    assert_got("AUTH app pa ss\nSELECT 3\nPING\nHLEN k\n");
}

static void a_password_alone_needs_no_user(void **state)
{
    static const char *const script[] = {"+OK\r\n", "+PONG\r\n", ":1\r\n", NULL};
    int64_t count = 0;
    fake_listen(script);
    open_store(":pw@", fake.port, "");
    run_co(count_k, &count);
    assert_int_equal(count, 1);
    assert_got("AUTH pw\nPING\nHLEN k\n");
}

static void a_refused_login_is_away(void **state)
{
    static const char *const script[] = {"-WRONGPASS invalid\r\n", "-NOAUTH\r\n", NULL};
    int64_t count = 0;
    fake_listen(script);
    open_store(":pw@", fake.port, "");
    run_co(count_k, &count);
    assert_int_equal(count, GW_EAWAY);
}

/* ---- operations ---- */

static void use_everything(void *arg)
{
    int64_t value = 0;
    size_t len = 0;
    int rc = 0;
    const struct gw_values *last;
    assert_int_equal(gw_store_incr(store, gw_str("k"), gw_str("f"), -2, &value), 0);
    assert_int_equal(value, 40);
    assert_int_equal(gw_store_set(store, gw_str("k"), gw_str("f"), gw_str("v")), 0);
    char *text = gw_store_get(store, gw_str("k"), gw_str("f"), &len, &rc);
    assert_int_equal(rc, 0);
    assert_int_equal(len, 3);
    assert_string_equal(text, "abc");
    mem_free(text);
    assert_null(gw_store_get(store, gw_str("k"), gw_str("g"), &len, &rc));
    assert_int_equal(rc, GW_ENOTFOUND);
    assert_int_equal(gw_store_append(store, gw_str("L"), gw_str("v"), 5), 0);
    assert_int_equal(gw_store_append(store, gw_str("L"), gw_str("w"), 5), 0);
    assert_int_equal(gw_store_last(store, gw_str("L"), 2, &last), 0);
    assert_int_equal(last->n, 2);
    assert_string_equal(last->values[0].data, "a");
    assert_int_equal(last->values[1].len, 0);
    gw_values_free(last);
    assert_int_equal(gw_store_last(store, gw_str("L"), 0, &last), 0);
    assert_int_equal(last->n, 0);
    gw_values_free(last);
    assert_int_equal(gw_store_incr(store, gw_str("k"), gw_str("f"), 1, NULL), GW_EREFUSED);
}

static void operations_are_commands(void **state)
{
    static const char *const script[] = {"+PONG\r\n",
                                         ":40\r\n",
                                         ":1\r\n",
                                         "$3\r\nabc\r\n",
                                         "$-1\r\n",
                                         ":5\r\n",
                                         ":6\r\n",
                                         ":1\r\n",
                                         "*2\r\n$1\r\na\r\n$0\r\n\r\n",
                                         "-WRONGTYPE no\r\n",
                                         NULL};
    fake_listen(script);
    open_store("", fake.port, "");
    run_co(use_everything, NULL);
    assert_got("PING\nHINCRBY k f -2\nHSET k f v\nHGET k f\nHGET k g\nRPUSH L v\nRPUSH L w\n"
               "LTRIM L -5 -1\nLRANGE L -2 -1\nHINCRBY k f 1\n");
}

static void ask_for_a_tree(void *arg)
{
    const struct gw_bytes words[] = {gw_str("XINFO"), gw_str("it")};
    const struct gw_reply *r;
    assert_int_equal(gw_redis(store, 2, words, &r), 0);
    assert_int_equal(r->type, GW_REPLY_ARRAY);
    assert_int_equal(r->n, 4);
    assert_int_equal(r->items[0].type, GW_REPLY_INT);
    assert_int_equal(r->items[0].number, -5);
    assert_int_equal(r->items[1].type, GW_REPLY_NULL);
    assert_int_equal(r->items[2].items[0].type, GW_REPLY_TEXT);
    assert_string_equal(r->items[2].items[0].text.data, "x");
    assert_int_equal(r->items[3].type, GW_REPLY_ERROR);
    assert_string_equal(r->items[3].text.data, "ERR y");
    gw_reply_free(r);
    assert_int_equal(gw_redis(store, 0, words, &r), -EINVAL);
    assert_null(r);
    assert_int_equal(gw_redis(store, 1, words, &r), 0);
    assert_int_equal(r->n, 0);
    gw_reply_free(r);
}

static void any_reply_is_a_tree(void **state)
{
    static const char *const script[] = {"+PONG\r\n", "*4\r\n:-5\r\n$-1\r\n*1\r\n+x\r\n-ERR y\r\n",
                                         "*0\r\n", NULL};
    fake_listen(script);
    open_store("", fake.port, "");
    run_co(ask_for_a_tree, NULL);
}

static void pipelined(void *arg)
{
    int64_t *sum = arg;
    int64_t value = 0;
    assert_int_equal(gw_store_incr(store, gw_str("k"), gw_str("f"), 1, &value), 0);
    *sum = *sum * 10 + value;
}

/* All are sent before one is answered, and each gets its own answer. */
static void calls_share_the_connection(void **state)
{
    static const char *const script[] = {"+PONG\r\n", ":1\r\n", ":2\r\n", ":3\r\n", NULL};
    int64_t sum = 0;
    fake_listen(script);
    open_store("", fake.port, "");
    for (int i = 0; i < 3; i++)
        spawn_co(pipelined, &sum);
    run_all_cos();
    assert_int_equal(sum, 123);
    assert_int_equal(fake.connections_n, 1);
}

/* ---- trouble ---- */

static void count_three_times(void *arg)
{
    int64_t *counts = arg;
    for (int i = 0; i < 3; i++)
        counts[i] = gw_store_count(store, gw_str("k"));
}

/* One deadline passes; after it nobody waits. */
static void a_mute_server_costs_one_deadline(void **state)
{
    static const char *const script[] = {"+PONG\r\n", NULL};
    int64_t counts[3] = {0};
    fake_listen(script);
    open_store("", fake.port, "?timeout_ms=50");
    run_co(count_three_times, counts);
    assert_int_equal(counts[0], GW_ETIMEOUT);
    assert_int_equal(counts[1], GW_EAWAY);
    assert_int_equal(counts[2], GW_EAWAY);
    assert_got("PING\nHLEN k\n");
}

static void others_that_wait_learn_it_too(void **state)
{
    static const char *const script[] = {"+PONG\r\n", NULL};
    int64_t counts[2] = {0};
    fake_listen(script);
    open_store("", fake.port, "?timeout_ms=50");
    spawn_co(count_k, &counts[0]);
    spawn_co(count_k, &counts[1]);
    run_all_cos();
    for (int i = 0; i < 2; i++)
        assert_true(counts[i] == GW_ETIMEOUT || counts[i] == GW_EAWAY);
}

static void nobody_listens(void **state)
{
    static const char *const script[] = {NULL};
    int64_t counts[3] = {0};
    fake_listen(script);
    uint16_t port = fake.port;
    fake_close();
    open_store("", port, "");
    run_co(count_three_times, counts);
    for (int i = 0; i < 3; i++)
        assert_int_equal(counts[i], GW_EAWAY);
}

static void until_it_is_back(void *arg)
{
    int64_t *count = arg;
    while ((*count = gw_store_count(store, gw_str("k"))) == GW_EAWAY) {
        struct store_call nap; /* a call that nobody answers is a sleep */
        call_init(&nap, fx.host);
        assert_int_equal(call_wait(&nap, 20), GW_ETIMEOUT);
    }
}

static void a_lost_connection_comes_back(void **state)
{
    static const char *const script[] = {"+PONG\r\n", "hang up", "+PONG\r\n", ":9\r\n", NULL};
    int64_t count = 0;
    fake_listen(script);
    open_store("", fake.port, "");
    run_co(count_k, &count);
    assert_int_equal(count, GW_EAWAY);
    run_co(until_it_is_back, &count);
    assert_int_equal(count, 9);
    assert_int_equal(fake.connections_n, 2);
}

static void answers_that_are_none_end_the_connection(void **state)
{
    static const char *const script[] = {"+PONG\r\n", "nonsense\r\n", "+PONG\r\n", ":4\r\n", NULL};
    int64_t count = 0;
    fake_listen(script);
    open_store("", fake.port, "");
    run_co(count_k, &count);
    assert_int_equal(count, GW_EAWAY);
    run_co(until_it_is_back, &count);
    assert_int_equal(count, 4);
}

static void ending_in_any_state_leaves_nothing(void **state)
{
    static const char *const script[] = {NULL};
    fake_listen(script);
    open_store("", fake.port, "");
    stores_fini(&stores); /* while it dials */
    stores_init(&stores, fx.host, NULL);
    open_store("", fake.port, "");
    for (int i = 0; i < 1000 && fake.got.len == 0; i++)
        assert_int_equal(loop_turn(fx.loop, 5), 0);
    assert_got("PING\n"); /* and now while it waits for the greeting's answer */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_greeting_logs_in_and_selects, setup, teardown),
        cmocka_unit_test_setup_teardown(a_password_alone_needs_no_user, setup, teardown),
        cmocka_unit_test_setup_teardown(a_refused_login_is_away, setup, teardown),
        cmocka_unit_test_setup_teardown(operations_are_commands, setup, teardown),
        cmocka_unit_test_setup_teardown(any_reply_is_a_tree, setup, teardown),
        cmocka_unit_test_setup_teardown(calls_share_the_connection, setup, teardown),
        cmocka_unit_test_setup_teardown(a_mute_server_costs_one_deadline, setup, teardown),
        cmocka_unit_test_setup_teardown(others_that_wait_learn_it_too, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_listens, setup, teardown),
        cmocka_unit_test_setup_teardown(a_lost_connection_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(answers_that_are_none_end_the_connection, setup, teardown),
        cmocka_unit_test_setup_teardown(ending_in_any_state_leaves_nothing, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* sqlite: answers from the thread, batches, limits, deadlines, stopping, a database that fails. */
#include "store/sqlite.h"

#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "store_fixture.h"

#include <gw/err.h>

#include "base/mem.h"
#include "store/store.h"

static struct stores stores;
static struct gw_store *store;
static char path[128];

static int file_setup(void **state)
{
    fixture_setup(state);
    snprintf(path, sizeof path, "%s", tmpdir_path(&fx.dir, "test.db"));
    return 0;
}

static int setup(void **state)
{
    char url[160];
    file_setup(state);
    snprintf(url, sizeof url, "sqlite:%s?timeout_ms=5000", path);
    stores_init(&stores, fx.host, NULL);
    store = stores_open(&stores, url);
    assert_non_null(store);
    assert_ptr_equal(stores_open(&stores, url), store);
    return 0;
}

static int teardown(void **state)
{
    stores_fini(&stores);
    return fixture_teardown(state);
}

/* ---- calls on coroutines ---- */

static void use_everything(void *arg)
{
    int64_t value = 0;
    size_t len = 0;
    int rc = 0;
    const struct gw_values *last;
    const struct gw_reply *reply;
    assert_int_equal(gw_store_incr(store, gw_str("PV"), gw_str("f"), 2, &value), 0);
    assert_int_equal(gw_store_incr(store, gw_str("PV"), gw_str("f"), 3, &value), 0);
    assert_int_equal(value, 5);
    assert_int_equal(gw_store_set(store, gw_str("PV"), gw_str("g"), gw_bytes("x\0y", 3)), 0);
    char *text = gw_store_get(store, gw_str("PV"), gw_str("g"), &len, &rc);
    assert_int_equal(rc, 0);
    assert_int_equal(len, 3);
    assert_memory_equal(text, "x\0y", 4);
    mem_free(text);
    assert_null(gw_store_get(store, gw_str("PV"), gw_str("none"), NULL, &rc));
    assert_int_equal(rc, GW_ENOTFOUND);
    assert_int_equal(gw_store_count(store, gw_str("PV")), 2);
    assert_int_equal(gw_store_incr(store, gw_str("PV"), gw_str("g"), 1, NULL), GW_EREFUSED);
    for (int i = 0; i < 4; i++) {
        char word[2] = {(char)('a' + i), '\0'};
        assert_int_equal(gw_store_append(store, gw_str("L"), gw_str(word), 3), 0);
    }
    assert_int_equal(gw_store_last(store, gw_str("L"), 2, &last), 0);
    assert_int_equal(last->n, 2);
    assert_string_equal(last->values[0].data, "c");
    assert_string_equal(last->values[1].data, "d");
    gw_values_free(last);
    assert_int_equal(gw_store_append(store, gw_str("L"), gw_str("x"), 0), -EINVAL);
    assert_int_equal(gw_store_last(store, gw_str("L"), 100001, &last), -EINVAL);
    assert_int_equal(gw_redis(store, 1, &(struct gw_bytes){"PING", 4}, &reply), -ENOTSUP);
    char *big = mem_zalloc(1024 * 1024);
    assert_int_equal(gw_store_set(store, gw_str("k"), gw_str("f"), gw_bytes(big, 1024 * 1024)),
                     GW_ETOOBIG);
    mem_free(big);
}

static void every_call_answers(void **state)
{
    run_co(use_everything, NULL);
}

static void nothing_waits_outside_a_coroutine(void **state)
{
    assert_int_equal(gw_store_count(store, gw_str("k")), GW_ECONTEXT);
    assert_int_equal(gw_store_count(NULL, gw_str("k")), -EINVAL);
}

static void add_one(void *arg)
{
    int64_t *sum = arg;
    int64_t value = 0;
    assert_int_equal(gw_store_incr(store, gw_str("k"), gw_str("f"), 1, &value), 0);
    *sum += value;
}

/* 500 at once: every one gets its own sum, 1 to 500. */
static void many_calls_share_transactions(void **state)
{
    int64_t sum = 0;
    for (int i = 0; i < 500; i++)
        spawn_co(add_one, &sum);
    run_all_cos();
    assert_int_equal(sum, 500 * 501 / 2);
}

/* ---- jobs without coroutines: what the thread sanitizer looks at ---- */

static size_t answers_n;
static int worst_rc;

static void on_answer(void *owner, int rc, struct store_op *answer)
{
    answers_n++;
    if (rc < worst_rc)
        worst_rc = rc;
}

static void jobs_come_back_in_order_and_the_queue_is_bounded(void **state)
{
    struct store_url url = {.shown = path, .timeout_ms = 1000};
    struct sqlite *s = sqlite_start(fx.host, &url, path);
    struct store_op op = {
        .verb = STORE_INCR, .key = gw_str("k"), .field = gw_str("f"), .number = 1};
    struct sqlite_job *job;
    size_t queued_n = 0;
    size_t refused_n = 0;
    answers_n = 0;
    worst_rc = 0;
    assert_non_null(s);
    for (int i = 0; i < 30000; i++) {
        if (sqlite_submit(s, &op, on_answer, NULL, &job) == 0)
            queued_n++;
        else
            refused_n++;
    }
    assert_int_equal(queued_n + refused_n, 30000);
    assert_true(queued_n >= 10000);
    while (answers_n < queued_n)
        assert_int_equal(loop_turn(fx.loop, 20), 0);
    assert_int_equal(worst_rc, 0);
    assert_int_equal(sqlite_submit(s, &op, on_answer, NULL, &job), 0);
    sqlite_abandon(job);
    assert_int_equal(sqlite_submit(s, &op, on_answer, NULL, &job), 0);
    sqlite_stop(s); /* writes what is queued, and tells who asked */
    sqlite_stop(s);
    assert_int_equal(answers_n, queued_n + 1);
    sqlite_free(s);

    char expected[24];
    snprintf(expected, sizeof expected, "%zu", queued_n + 2);
    sqlite3 *raw;
    sqlite3_stmt *query;
    assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(raw, "SELECT value FROM fields", -1, &query, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(query), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(query, 0), expected);
    sqlite3_finalize(query);
    sqlite3_close(raw);
}

/* While the database is locked nothing leaves the queue for a quarter of a second. */
static void a_full_queue_refuses(void **state)
{
    struct store_url url = {.shown = path, .timeout_ms = 1000};
    struct store_op op = {.verb = STORE_SET, .key = gw_str("k"), .value = gw_str("v")};
    struct sqlite *s = sqlite_start(fx.host, &url, path);
    struct sqlite_job *job;
    sqlite3 *other;
    size_t queued_n = 0;
    answers_n = 0;
    assert_int_equal(sqlite_submit(s, &op, on_answer, NULL, &job), 0);
    while (answers_n < 1)
        assert_int_equal(loop_turn(fx.loop, 20), 0);
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    while (queued_n < 100000 && sqlite_submit(s, &op, on_answer, NULL, &job) == 0)
        queued_n++;
    assert_in_range(queued_n, 10000, 99999);
    sqlite3_close(other);
    sqlite_free(s);
    assert_int_equal(answers_n, 1 + queued_n);
}

static void a_locked_database_fails_and_works_again(void **state)
{
    struct store_url url = {.shown = path, .timeout_ms = 1000};
    struct store_op op = {
        .verb = STORE_SET, .key = gw_str("k"), .field = gw_str("f"), .value = gw_str("v")};
    struct sqlite *s = sqlite_start(fx.host, &url, path);
    struct sqlite_job *job;
    sqlite3 *other;
    answers_n = 0;
    worst_rc = 0;
    assert_int_equal(sqlite_submit(s, &op, on_answer, NULL, &job), 0);
    while (answers_n < 1)
        assert_int_equal(loop_turn(fx.loop, 20), 0);
    assert_int_equal(worst_rc, 0);
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite_submit(s, &op, on_answer, NULL, &job), 0);
    while (answers_n < 2)
        assert_int_equal(loop_turn(fx.loop, 20), 0);
    assert_int_equal(worst_rc, -EBUSY);
    assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    worst_rc = 0;
    assert_int_equal(sqlite_submit(s, &op, on_answer, NULL, &job), 0);
    while (answers_n < 3)
        assert_int_equal(loop_turn(fx.loop, 20), 0);
    assert_int_equal(worst_rc, 0);
    sqlite_free(s);
}

/* A limit on the size of files stands in for a disk that is full: SQLite's write fails. */
static void a_file_that_cannot_grow_fails_and_works_again(void **state)
{
    struct store_url url = {.shown = path, .timeout_ms = 1000};
    char big[8192];
    struct store_op op = {.verb = STORE_APPEND, .key = gw_str("k"), .number = 1000};
    struct sqlite *s = sqlite_start(fx.host, &url, path);
    struct sqlite_job *job;
    struct rlimit before;
    struct rlimit small;
    memset(big, 'x', sizeof big);
    op.value = gw_bytes(big, sizeof big);
    answers_n = 0;
    worst_rc = 0;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){.rlim_cur = 200 * 1024, .rlim_max = before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    for (size_t n = 0; n < 60; n++) {
        if (n == 5)
            assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        assert_int_equal(sqlite_submit(s, &op, on_answer, NULL, &job), 0);
        while (answers_n <= n)
            assert_int_equal(loop_turn(fx.loop, 20), 0);
    }
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_true(worst_rc == -EIO || worst_rc == -ENOSPC);
    worst_rc = 0;
    assert_int_equal(sqlite_submit(s, &op, on_answer, NULL, &job), 0);
    while (answers_n < 61)
        assert_int_equal(loop_turn(fx.loop, 20), 0);
    assert_int_equal(worst_rc, 0);
    sqlite_free(s);
}

static void fail_to_write(void *arg)
{
    int *rc = arg;
    *rc = gw_store_set(store, gw_str("k"), gw_str("f"), gw_str("v"));
}

static void a_file_in_a_missing_folder_fails_at_once(void **state)
{
    char url[200];
    int rc = 0;
    snprintf(url, sizeof url, "sqlite:%s/a/b/c.db", fx.dir.path);
    store = stores_open(&stores, url);
    run_co(fail_to_write, &rc);
    assert_int_equal(rc, -ENOENT);
}

static void after_the_stop_calls_fail(void **state)
{
    int rc = 0;
    stores_stop(&stores);
    stores_stop(&stores);
    run_co(fail_to_write, &rc);
    assert_int_equal(rc, GW_EAWAY);
    assert_null(stores_open(&stores, "sqlite:x"));
}

static void a_url_that_is_none_opens_nothing(void **state)
{
    assert_null(stores_open(&stores, "nonsense"));
    assert_null(stores_open(&stores, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_call_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_waits_outside_a_coroutine, setup, teardown),
        cmocka_unit_test_setup_teardown(many_calls_share_transactions, setup, teardown),
        cmocka_unit_test_setup_teardown(jobs_come_back_in_order_and_the_queue_is_bounded,
                                        file_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_full_queue_refuses, file_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_locked_database_fails_and_works_again, file_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_file_that_cannot_grow_fails_and_works_again, file_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_file_in_a_missing_folder_fails_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(after_the_stop_calls_fail, setup, teardown),
        cmocka_unit_test_setup_teardown(a_url_that_is_none_opens_nothing, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* db: every operation, what is refused, rolling back, a locked and a full database. */
#include "store/db.h"

#include <errno.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <gw/err.h>

#include "store/reply.h"
#include "support/tmpdir.h"

static struct tmpdir dir;
static struct db *db;
static char path[128];

static int setup(void **state)
{
    char error[DB_ERROR_MAX] = "";
    dir = tmpdir_make();
    snprintf(path, sizeof path, "%s", tmpdir_path(&dir, "var/test.db"));
    int rc = db_open(path, &db, error);
    if (rc < 0)
        fail_msg("%s: %d %s", path, rc, error);
    return 0;
}

static int teardown(void **state)
{
    db_close(db);
    tmpdir_remove(&dir);
    return 0;
}

static int run(struct store_op *op)
{
    assert_int_equal(db_begin(db, op_is_writing(op)), 0);
    int rc = db_run(db, op);
    assert_int_equal(db_commit(db), 0);
    return rc;
}

static int incr(const char *key, const char *field, int64_t by, int64_t *value)
{
    struct store_op op = {
        .verb = STORE_INCR, .key = gw_str(key), .field = gw_str(field), .number = by};
    int rc = run(&op);
    *value = op.result;
    return rc;
}

static int set(const char *key, const char *field, struct gw_bytes value)
{
    struct store_op op = {
        .verb = STORE_SET, .key = gw_str(key), .field = gw_str(field), .value = value};
    return run(&op);
}

static int get(const char *key, const char *field, const struct gw_values **out)
{
    struct store_op op = {.verb = STORE_GET, .key = gw_str(key), .field = gw_str(field)};
    int rc = run(&op);
    *out = reply_values(buf_span(&op.records));
    buf_fini(&op.records);
    return rc;
}

static void append(const char *key, const char *value, int64_t keep_n)
{
    struct store_op op = {
        .verb = STORE_APPEND, .key = gw_str(key), .value = gw_str(value), .number = keep_n};
    assert_int_equal(run(&op), 0);
}

/* The last n values, joined by commas. */
static void assert_last(const char *key, int64_t n, const char *expected)
{
    struct store_op op = {.verb = STORE_LAST, .key = gw_str(key), .number = n};
    struct buf text = {0};
    assert_int_equal(run(&op), 0);
    struct gw_values *values = reply_values(buf_span(&op.records));
    for (size_t i = 0; i < values->n; i++)
        buf_printf(&text, "%s%s", i > 0 ? "," : "", values->values[i].data);
    assert_string_equal(buf_cstr(&text), expected);
    gw_values_free(values);
    buf_fini(&text);
    buf_fini(&op.records);
}

static void counters_begin_at_zero(void **state)
{
    int64_t value = 0;
    assert_int_equal(incr("PV", "a", 1, &value), 0);
    assert_int_equal(value, 1);
    assert_int_equal(incr("PV", "a", 41, &value), 0);
    assert_int_equal(value, 42);
    assert_int_equal(incr("PV", "a", -50, &value), 0);
    assert_int_equal(value, -8);
    assert_int_equal(incr("PV", "b", 5, &value), 0);
    assert_int_equal(value, 5);
    const struct gw_values *v;
    assert_int_equal(get("PV", "a", &v), 0);
    assert_string_equal(v->values[0].data, "-8");
    gw_values_free(v);
}

/* As Redis: "hash value is not an integer", "increment or decrement would overflow". */
static void what_cannot_be_counted_is_refused(void **state)
{
    static const char *const texts[] = {"", "x", "1x", " 1", "1.5", "99999999999999999999"};
    int64_t value;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(set("k", "f", gw_str(texts[i])), 0);
        assert_int_equal(incr("k", "f", 1, &value), GW_EREFUSED);
    }
    assert_int_equal(set("k", "f", gw_str("9223372036854775807")), 0);
    assert_int_equal(incr("k", "f", 1, &value), GW_EREFUSED);
    assert_int_equal(incr("k", "f", -1, &value), 0);
    assert_true(value == INT64_MAX - 1);
}

static void values_are_bytes(void **state)
{
    const struct gw_values *v;
    assert_int_equal(get("k", "f", &v), GW_ENOTFOUND);
    assert_int_equal(v->n, 0);
    gw_values_free(v);
    assert_int_equal(set("k", "f", gw_bytes("a\0b", 3)), 0);
    assert_int_equal(get("k", "f", &v), 0);
    assert_int_equal(v->n, 1);
    assert_int_equal(v->values[0].len, 3);
    assert_memory_equal(v->values[0].data, "a\0b", 4);
    gw_values_free(v);
    assert_int_equal(set("k", "f", gw_bytes(NULL, 0)), 0);
    assert_int_equal(get("k", "f", &v), 0);
    assert_int_equal(v->values[0].len, 0);
    gw_values_free(v);
    struct store_op op = {.verb = STORE_COUNT, .key = gw_str("k")};
    assert_int_equal(run(&op), 0);
    assert_int_equal(op.result, 1);
}

static void lists_keep_the_newest(void **state)
{
    static const char *const words[] = {"a", "b", "c", "d", "e"};
    assert_last("room", 10, "");
    for (size_t i = 0; i < 5; i++)
        append("room", words[i], 3);
    append("other", "x", 3);
    assert_last("room", 10, "c,d,e");
    assert_last("room", 2, "d,e");
    assert_last("room", 0, "");
    append("room", "f", 1);
    assert_last("room", 10, "f");
    assert_last("other", 10, "x");
}

static void a_rolled_back_transaction_leaves_nothing(void **state)
{
    struct store_op op = {
        .verb = STORE_INCR, .key = gw_str("k"), .field = gw_str("f"), .number = 1};
    int64_t value;
    assert_int_equal(db_begin(db, true), 0);
    assert_int_equal(db_run(db, &op), 0);
    db_rollback(db);
    db_rollback(db);
    assert_int_equal(incr("k", "f", 1, &value), 0);
    assert_int_equal(value, 1);
}

static void the_file_is_what_another_process_finds(void **state)
{
    char error[DB_ERROR_MAX];
    int64_t value;
    assert_int_equal(incr("k", "f", 7, &value), 0);
    db_close(db);
    assert_int_equal(db_open(path, &db, error), 0);
    assert_int_equal(incr("k", "f", 1, &value), 0);
    assert_int_equal(value, 8);
}

static void a_locked_database_is_busy(void **state)
{
    sqlite3 *other;
    int64_t value;
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(db_begin(db, true), -EBUSY);
    assert_int_equal(db_begin(db, false), 0); /* readers do not mind */
    assert_int_equal(db_commit(db), 0);
    assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    assert_int_equal(incr("k", "f", 1, &value), 0);
}

static void a_file_that_cannot_be_opened_says_why(void **state)
{
    struct db *none;
    char error[DB_ERROR_MAX] = "";
    char text[160];
    tmpdir_write(&dir, "text.db",
                 "this is no database, but long enough to be read as a head ......."
                 "...............................................................");
    snprintf(text, sizeof text, "%s", tmpdir_path(&dir, "text.db"));
    assert_int_equal(db_open(text, &none, error), -EIO);
    assert_null(none);
    assert_string_equal(error, "file is not a database");
    snprintf(text, sizeof text, "%s", tmpdir_path(&dir, "no/such/folder.db"));
    assert_int_equal(db_open(text, &none, error), -ENOENT);
    assert_string_equal(error, "unable to open database file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(counters_begin_at_zero, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_counted_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(values_are_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(lists_keep_the_newest, setup, teardown),
        cmocka_unit_test_setup_teardown(a_rolled_back_transaction_leaves_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(the_file_is_what_another_process_finds, setup, teardown),
        cmocka_unit_test_setup_teardown(a_locked_database_is_busy, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_that_cannot_be_opened_says_why, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

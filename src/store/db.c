/* Two tables: fields of keys, and members of lists numbered upwards. Values are bytes; a counter is
 * its decimal text, as in Redis, so that both stores refuse the same. */
#include "store/db.h"

#include <errno.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <gw/err.h>

#include "base/mem.h"
#include "base/part.h"

enum { LOCKED_WAIT_MS = 250, WAL_TRIES = 10, NUMBER_MAX = 24 };

enum db_statement {
    DB_BEGIN,
    DB_BEGIN_WRITE,
    DB_COMMIT,
    DB_ROLLBACK,
    DB_GET,
    DB_SET,
    DB_COUNT,
    DB_END_OF_LIST,
    DB_APPEND,
    DB_TRIM,
    DB_LAST,
    DB_STATEMENTS_N
};

static const char *const sql[DB_STATEMENTS_N] = {
    [DB_BEGIN] = "BEGIN",
    [DB_BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [DB_COMMIT] = "COMMIT",
    [DB_ROLLBACK] = "ROLLBACK",
    [DB_GET] = "SELECT value FROM fields WHERE key = ?1 AND field = ?2",
    [DB_SET] = ("INSERT INTO fields (key, field, value) VALUES (?1, ?2, ?3) "
                "ON CONFLICT (key, field) DO UPDATE SET value = excluded.value"),
    [DB_COUNT] = "SELECT count(*) FROM fields WHERE key = ?1",
    [DB_END_OF_LIST] = "SELECT coalesce(max(place), 0) FROM members WHERE key = ?1",
    [DB_APPEND] = "INSERT INTO members (key, place, value) VALUES (?1, ?2, ?3)",
    [DB_TRIM] = "DELETE FROM members WHERE key = ?1 AND place <= ?2",
    [DB_LAST] = ("SELECT value FROM (SELECT place, value FROM members WHERE key = ?1 "
                 "ORDER BY place DESC LIMIT ?2) ORDER BY place"),
};

static const char tables[] = "CREATE TABLE IF NOT EXISTS fields ("
                             "key BLOB NOT NULL, field BLOB NOT NULL, value BLOB NOT NULL, "
                             "PRIMARY KEY (key, field)) WITHOUT ROWID;"
                             "CREATE TABLE IF NOT EXISTS members ("
                             "key BLOB NOT NULL, place INTEGER NOT NULL, value BLOB NOT NULL, "
                             "PRIMARY KEY (key, place)) WITHOUT ROWID;";

struct db {
    sqlite3 *handle;
    sqlite3_stmt *statements[DB_STATEMENTS_N];
};

/* https://sqlite.org/rescode.html */
static int rc_of(int sqlite_rc)
{
    switch (sqlite_rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_READONLY:
        return -EROFS;
    case SQLITE_CANTOPEN:
        return -ENOENT;
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return -EACCES;
    case SQLITE_TOOBIG:
        return GW_ETOOBIG;
    default: /* SQLITE_IOERR, SQLITE_CORRUPT, SQLITE_NOTADB… */
        return -EIO;
    }
}

/* ---- opening ---- */

static void make_folder(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash || slash == path)
        return;
    char *folder = mem_strndup(path, (size_t)(slash - path));
    if (mkdir(folder, 0750) < 0 && errno != EEXIST)
        errno = 0; /* opening the file fails next, and says so */
    mem_free(folder);
}

static int prepare_all(struct db *d)
{
    for (size_t i = 0; i < DB_STATEMENTS_N; i++) {
        int rc = sqlite3_prepare_v3(d->handle, sql[i], -1, SQLITE_PREPARE_PERSISTENT,
                                    &d->statements[i], NULL);
        if (rc != SQLITE_OK)
            return rc;
    }
    return SQLITE_OK;
}

/* The busy handler is not asked for this lock, which processes that start together compete for. */
static int use_wal(struct db *d)
{
    int rc = SQLITE_BUSY;

    for (int i = 0; i < WAL_TRIES && (rc & 0xff) == SQLITE_BUSY; i++) {
        if (i > 0)
            sqlite3_sleep(LOCKED_WAIT_MS / WAL_TRIES);
        rc = sqlite3_exec(d->handle, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
    }
    return rc;
}

static int set_up(struct db *d)
{
    sqlite3_busy_timeout(d->handle, LOCKED_WAIT_MS);
    sqlite3_extended_result_codes(d->handle, 1);
    /* In WAL mode NORMAL keeps the file whole whatever happens; a power cut may cost the last
     * transactions, which a chat's history can bear (https://sqlite.org/pragma.html). */
    int rc = use_wal(d);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(d->handle, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(d->handle, tables, NULL, NULL, NULL);
    return rc == SQLITE_OK ? prepare_all(d) : rc;
}

int db_open(const char *path, struct db **out, char error[DB_ERROR_MAX])
{
    struct db *d = mem_zalloc(sizeof *d);

    make_folder(path);
    int rc = sqlite3_open_v2(
        path, &d->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK)
        rc = set_up(d);
    if (rc == SQLITE_OK) {
        *out = d;
        return 0;
    }
    snprintf(error, DB_ERROR_MAX, "%s", db_error(d));
    db_close(d);
    *out = NULL;
    return rc_of(rc);
}

void db_close(struct db *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < DB_STATEMENTS_N; i++)
        sqlite3_finalize(d->statements[i]);
    sqlite3_close(d->handle);
    mem_free(d);
}

const char *db_error(const struct db *d)
{
    return d->handle ? sqlite3_errmsg(d->handle) : "out of memory";
}

/* ---- statements ---- */

/* Empty bytes are a value too, and NULL is what SQLite makes of a NULL address. */
static void bind_bytes(sqlite3_stmt *s, int at, struct gw_bytes bytes)
{
    sqlite3_bind_blob64(s, at, bytes.len > 0 ? bytes.data : "", bytes.len, SQLITE_STATIC);
}

static int finish(sqlite3_stmt *s)
{
    int rc = sqlite3_reset(s); /* gives the error of the last step again */

    sqlite3_clear_bindings(s);
    return rc_of(rc);
}

static int run_simple(struct db *d, enum db_statement which)
{
    sqlite3_step(d->statements[which]);
    return finish(d->statements[which]);
}

int db_begin(struct db *d, bool is_writing)
{
    return run_simple(d, is_writing ? DB_BEGIN_WRITE : DB_BEGIN);
}

int db_commit(struct db *d)
{
    int rc = run_simple(d, DB_COMMIT);

    if (rc < 0)
        db_rollback(d);
    return rc;
}

void db_rollback(struct db *d)
{
    /* SQLite has rolled back by itself after some errors. */
    if (!sqlite3_get_autocommit(d->handle))
        sqlite3_step(d->statements[DB_ROLLBACK]);
    sqlite3_reset(d->statements[DB_ROLLBACK]);
}

/* ---- operations ---- */

static void put_column(struct store_op *op, sqlite3_stmt *s)
{
    const void *at = sqlite3_column_blob(s, 0); /* first: the length is that of this form */

    part_put(&op->records, span_of(at, (size_t)sqlite3_column_bytes(s, 0)));
}

static int get(struct db *d, struct store_op *op)
{
    sqlite3_stmt *s = d->statements[DB_GET];

    bind_bytes(s, 1, op->key);
    bind_bytes(s, 2, op->field);
    bool is_there = sqlite3_step(s) == SQLITE_ROW;
    if (is_there)
        put_column(op, s);
    int rc = finish(s);
    return rc < 0 ? rc : is_there ? 0 : GW_ENOTFOUND;
}

static int set(struct db *d, struct store_op *op)
{
    sqlite3_stmt *s = d->statements[DB_SET];

    bind_bytes(s, 1, op->key);
    bind_bytes(s, 2, op->field);
    bind_bytes(s, 3, op->value);
    sqlite3_step(s);
    return finish(s);
}

/* Decimal digits with a sign at most, the whole text, within 64 bits. */
static bool read_number(struct span text, int64_t *out)
{
    char copy[NUMBER_MAX];
    char *end;

    if (text.len == 0 || text.len >= sizeof copy ||
        (text.at[0] != '-' && (text.at[0] < '0' || text.at[0] > '9')))
        return false;
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    errno = 0;
    *out = strtoll(copy, &end, 10);
    return errno == 0 && end == copy + text.len;
}

static int incr(struct db *d, struct store_op *op)
{
    char text[NUMBER_MAX];
    struct span before;
    int64_t value = 0;
    int rc = get(d, op);
    struct span rest = buf_span(&op->records);

    if (rc == 0 && (!part_take(&rest, &before) || !read_number(before, &value)))
        rc = GW_EREFUSED;
    buf_fini(&op->records);
    if (rc < 0 && rc != GW_ENOTFOUND)
        return rc;
    if (__builtin_add_overflow(value, op->number, &value))
        return GW_EREFUSED;
    op->value = gw_bytes(text, (size_t)snprintf(text, sizeof text, "%" PRId64, value));
    op->result = value;
    rc = set(d, op);
    op->value = gw_bytes(NULL, 0);
    return rc;
}

static int number_for_key(struct db *d, enum db_statement which, struct store_op *op)
{
    sqlite3_stmt *s = d->statements[which];

    bind_bytes(s, 1, op->key);
    if (sqlite3_step(s) == SQLITE_ROW)
        op->result = sqlite3_column_int64(s, 0);
    return finish(s);
}

static int count(struct db *d, struct store_op *op)
{
    return number_for_key(d, DB_COUNT, op);
}

static int append(struct db *d, struct store_op *op)
{
    sqlite3_stmt *add = d->statements[DB_APPEND];
    sqlite3_stmt *trim = d->statements[DB_TRIM];
    int rc = number_for_key(d, DB_END_OF_LIST, op);

    if (rc < 0)
        return rc;
    int64_t place = op->result + 1;
    bind_bytes(add, 1, op->key);
    sqlite3_bind_int64(add, 2, place);
    bind_bytes(add, 3, op->value);
    sqlite3_step(add);
    rc = finish(add);
    if (rc < 0 || place <= op->number)
        return rc;
    bind_bytes(trim, 1, op->key);
    sqlite3_bind_int64(trim, 2, place - op->number);
    sqlite3_step(trim);
    return finish(trim);
}

static int last(struct db *d, struct store_op *op)
{
    sqlite3_stmt *s = d->statements[DB_LAST];

    bind_bytes(s, 1, op->key);
    sqlite3_bind_int64(s, 2, op->number);
    while (sqlite3_step(s) == SQLITE_ROW)
        put_column(op, s);
    return finish(s);
}

static int (*const operations[])(struct db *d, struct store_op *op) = {
    [STORE_INCR] = incr,   [STORE_SET] = set,       [STORE_GET] = get,
    [STORE_COUNT] = count, [STORE_APPEND] = append, [STORE_LAST] = last,
};

int db_run(struct db *d, struct store_op *op)
{
    return operations[op->verb](d, op);
}

/* The SQLite file of a store: its tables and what each operation is in SQL. One thread only. */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <stdbool.h>

#include "base/compiler.h"
#include "store/op.h"

struct db;

enum { DB_ERROR_MAX = 160 };

/* Opens or creates the file (its folder too, if only that one is missing) and the tables. 0 or an
 * error; then `error` says what SQLite says. May block for some 250 ms on a locked database. */
int db_open(const char *path, struct db **out, char error[DB_ERROR_MAX]) NODISCARD;
void db_close(struct db *d); /* NULL is fine */

/* A transaction. A failed db_commit() has rolled back. */
int db_begin(struct db *d, bool is_writing) NODISCARD;
int db_commit(struct db *d) NODISCARD;
void db_rollback(struct db *d);
/* Inside a transaction. 0; GW_EREFUSED or GW_ENOTFOUND, after which the transaction goes on; or
 * another error, after which it must be rolled back. */
int db_run(struct db *d, struct store_op *op) NODISCARD;
/* What SQLite says about the last error. Valid until the next call. */
const char *db_error(const struct db *d);

#endif

/* Rows under named columns, printed aligned for people or as JSON for programs. */
#ifndef CMD_TABLE_H
#define CMD_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <gw/json.h>

#include "base/compiler.h"
#include "base/span.h"

struct table;

/* Column names in lower case ("client"), at least one; borrowed. Rows are filled whole. Texts of
 * clients are shown with control characters and broken UTF-8 as \xNN, so that nobody can write into
 * the terminal. */
struct table *table_new(const char *const *columns, size_t columns_n) NODISCARD;
void table_free(struct table *t);

/* Each fills the next cell, row by row. */
void table_put_text(struct table *t, struct span text);
void table_put_count(struct table *t, uint64_t count);
void table_put_bool(struct table *t, bool value);       /* "yes" or "no" */
void table_put_json(struct table *t, const char *json); /* NULL: null, an empty cell */

/* Names in capitals above, numbers to the right. The columns of a character are those of the
 * locale: setlocale(LC_CTYPE, …) comes first. */
void table_print(const struct table *t, FILE *out);
/* An array of objects, owned by the caller. */
struct gw_json *table_json(const struct table *t) NODISCARD;

#endif

/* Lines between a process and its master: rows of status and connections as tab-separated text. */
#ifndef PROC_ROW_H
#define PROC_ROW_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/span.h"
#include "proc/role.h"

/* Calls fn for each complete line in [at, at + len), without its "\n"; returns the bytes used, or
 * GW_ETOOBIG when a line is longer than ROW_LINE_MAX. fn returns false to stop in front of the next
 * line. */
enum { ROW_LINE_MAX = 4096, ROW_LINES_MAX = 2 * ROW_LINE_MAX };
typedef bool row_line_fn(void *ctx, struct span line);
ssize_t row_lines(const uint8_t *at, size_t len, row_line_fn *fn, void *ctx) NODISCARD;

/* Without a "\n" behind. Control bytes in texts become '?', so that no text can end a field. */
void row_put_status(struct buf *out, const struct role_status *s);
bool row_get_status(struct span line, struct role_status *out) NODISCARD;

/* A connection's row with texts of its own, so that it outlives the line. */
struct row_connection {
    struct role_connection row;
    char transport[16], protocol[32], state[32];
};
void row_put_connection(struct buf *out, const struct role_connection *c);
bool row_get_connection(struct span line, struct row_connection *out) NODISCARD;

#endif

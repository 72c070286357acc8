/* Byte strings one behind the other, each behind its length: how several travel as one. */
#ifndef BASE_PART_H
#define BASE_PART_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/span.h"

void part_put(struct buf *out, struct span bytes); /* below 4 GiB */
/* The content of a file, at most max_bytes. 0 or -errno: -EFBIG, -EISDIR, -EINVAL (no regular
 * file); then nothing was put. */
int part_put_file(struct buf *out, const char *path, size_t max_bytes) NODISCARD;
/* Cuts the first part off *rest; *out borrows it. False: there is no whole one. */
bool part_take(struct span *rest, struct span *out) NODISCARD;

#endif

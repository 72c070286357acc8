/* JSON written into our own buffers; all else of it is public: <gw/json.h>. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <gw/json.h>

#include "base/buf.h"
#include "base/compiler.h"

/* Appends the value as text. Returns 0; -EINVAL for NULL and GW_ETOOBIG for a tree deeper than
 * GW_JSON_DEPTH_MAX, and the buffer is as it was. */
int json_write(struct buf *out, const struct gw_json *v, enum gw_json_style style) NODISCARD;

/* From now on trees are made of base/mem.h's memory, which aborts when there is none: a tree
 * without some of its members would be sent as if it were whole. To be called before the first tree
 * of a server; a library leaves the memory of jansson to the program that it is in. */
void json_abort_without_memory(void);

#endif

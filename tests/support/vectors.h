/* The recorded vectors in tests/vectors: loading, walking, hex, and comparing bytes. */
#ifndef SUPPORT_VECTORS_H
#define SUPPORT_VECTORS_H

#include <stdbool.h>

#include <jansson.h>

#include "base/buf.h"

/* tests/vectors/<file>; the test fails when it cannot be read. The caller gives it back. */
json_t *vectors_load(const char *file);

/* Calls visit for every object below root, itself included. */
void vectors_walk(json_t *root, void (*visit)(json_t *object, void *ctx), void *ctx);

/* Replaces *out by the bytes of a hex text; false when it is missing, null or shortened. */
bool vectors_hex(const json_t *object, const char *key, struct buf *out);
/* A text member, "" when missing; borrowed. */
struct span vectors_text(const json_t *object, const char *key);

/* Fails with both texts printed. `what` names the vector. */
void assert_bytes(const char *what, struct span got, struct span want);

#endif

/* Text inside JSON strings: how much of it stands there as it is. */
#ifndef BASE_JSON_TEXT_H
#define BASE_JSON_TEXT_H

#include <stddef.h>

#include "base/span.h"

/* The bytes at the front that are neither ", \ nor control characters (RFC 8259 §7). */
size_t json_plain_len(struct span text);
/* The same, and neither / nor beyond ASCII: what PHP's json_encode() leaves alone. */
size_t json_plain_ascii_len(struct span text);

#endif

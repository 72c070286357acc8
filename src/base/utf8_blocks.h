/* UTF-8 judged in blocks of 16 bytes, where the processor can. */
#ifndef BASE_UTF8_BLOCKS_H
#define BASE_UTF8_BLOCKS_H

#include <stddef.h>

#include "base/span.h"

/* How many bytes at the front, which begins with a character, are whole characters and good: all
 * full blocks but a cut character at their end, or 0 when something in them is bad, when there is
 * no full block, and on processors for which this is not written. */
size_t utf8_blocks_good(struct span bytes);

#endif

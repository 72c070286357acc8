/* Byte ranges of a representation (RFC 9110 §14). */
#ifndef WEB_RANGE_H
#define WEB_RANGE_H

#include <stdint.h>

#include "base/span.h"

struct range {
    uint64_t first; /* position of the first byte */
    uint64_t len;   /* never 0 */
};

enum range_verdict {
    RANGE_WHOLE,         /* answer as if there were no Range header */
    RANGE_PART,          /* 206 with *out */
    RANGE_UNSATISFIABLE, /* 416 */
};

/* Judges the value of a Range header against a representation of `size` bytes. */
enum range_verdict range_judge(struct span value, uint64_t size, struct range *out);

#endif

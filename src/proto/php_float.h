/* Floats as PHP writes them: the shortest digits that read back equal. */
#ifndef PROTO_PHP_FLOAT_H
#define PROTO_PHP_FLOAT_H

#include "base/buf.h"

/* Appends v; `exponent` is the letter of the long form: 'E' in serialize() (1.0E+25), 'e' in
 * json_encode() (1.0e+25). INF, -INF and NAN are written as words; JSON's caller refuses them. */
void php_put_float(struct buf *out, double v, char exponent);

#endif

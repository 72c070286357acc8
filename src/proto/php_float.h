/* Floats as PHP reads and writes them: correctly rounded, the shortest digits that read back equal.
 */
#ifndef PROTO_PHP_FLOAT_H
#define PROTO_PHP_FLOAT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/span.h"

/* No exact decimal of a double has more digits; longer texts are refused. */
enum { PHP_FLOAT_TEXT_MAX = 800 };

/* Appends v; `exponent` is the letter of the long form: 'E' in serialize() (1.0E+25), 'e' in
 * json_encode() (1.0e+25). INF, -INF and NAN are written as words; JSON's caller refuses them. */
void php_put_float(struct buf *out, double v, char exponent);

/* The value of digits with at most one point and perhaps an exponent; the caller has looked at the
 * form. Too large is infinity, too small is 0. false when longer than PHP_FLOAT_TEXT_MAX. */
bool php_float_of(struct span text, double *out) NODISCARD;

#endif

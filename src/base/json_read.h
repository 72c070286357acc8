/* The JSON that most messages are, read quickly; what is rare or wrong is left to jansson. */
#ifndef BASE_JSON_READ_H
#define BASE_JSON_READ_H

#include <gw/json.h>

#include "base/compiler.h"

/* The same tree that jansson makes of the text, owned by the caller; NULL when there is anything in
 * it that is not read here, which says nothing about whether it is JSON. */
struct gw_json *json_read_common(struct gw_bytes text, unsigned depth_max) NODISCARD;

#endif

/* One value of the config: text to number, size, duration, truth or choice, within its range. */
#ifndef BASE_CONF_VALUE_H
#define BASE_CONF_VALUE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/conf.h"

/* Reads text as the key's type into its field (not for CONF_LIST). False: `why` got half a
 * sentence, "must be a number from 1 to 64". CONF_STR keeps the pointer. */
bool conf_value_read(const struct conf_key *key, const char *text, void *field,
                     struct buf *why) NODISCARD;
/* What the key accepts, for people: "size from 1k to 64m", "true or false", "close, drop_new or
 * drop_old". */
void conf_value_describe(const struct conf_key *key, struct buf *out);

#endif

/* JSON texts as PHP's json_encode() writes them; values go through phpser.h. */
#ifndef PROTO_PHP_JSON_H
#define PROTO_PHP_JSON_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/span.h"

enum php_json_flag {
    PHP_JSON_UNESCAPED_SLASHES = 1,
    PHP_JSON_UNESCAPED_UNICODE = 2, /* U+2028 and U+2029 stay escaped, as in PHP */
};

/* Appends the text in quotes. false (out as before) when it is not UTF-8. */
bool php_json_put_string(struct buf *out, struct span text, unsigned flags) NODISCARD;

#endif

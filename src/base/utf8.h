/* Incremental UTF-8 validation (RFC 3629): surrogates, overlong forms and > U+10FFFF refused. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

/* 0 is both the start state and "complete so far". */
typedef uint8_t utf8_state;
enum { UTF8_OK = 0, UTF8_BAD = 1 };

/* Feeds bytes; returns UTF8_BAD as soon as no continuation can make the text valid,
 * UTF8_OK at a character border, another value inside a character. */
utf8_state utf8_feed(utf8_state state, struct span bytes);
bool utf8_is_valid(struct span text);

#endif

/* A run of bytes that somebody else owns: address and length, no NUL needed. */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const uint8_t *at; /* may be NULL when len is 0 */
    size_t len;
};

static inline struct span span_of(const void *at, size_t len)
{
    return (struct span){.at = at, .len = len};
}

static inline struct span span_str(const char *text)
{
    return span_of(text, text ? strlen(text) : 0);
}

static inline bool span_eq(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static inline bool span_is(struct span a, const char *text)
{
    return span_eq(a, span_str(text));
}

/* The rest after the first n bytes; n is cut to len. */
static inline struct span span_skip(struct span s, size_t n)
{
    if (n > s.len)
        n = s.len;
    return span_of(n > 0 ? s.at + n : s.at, s.len - n); /* NULL + 0 is undefined */
}

/* ASCII case folding, for HTTP names (RFC 9110 §5.1). A handshake asks a hundred times, mostly for
 * names of another length, which are told apart here. */
bool span_same_nocase(const uint8_t *a, const char *b, size_t len);
static inline bool span_eq_nocase(struct span a, const char *text)
{
    return a.len == strlen(text) && span_same_nocase(a.at, text, a.len);
}
struct span span_trim(struct span s); /* without SP, HT, CR, LF at both ends */
/* Position of the first `byte`, or -1. */
ptrdiff_t span_find(struct span s, uint8_t byte);
/* Cuts the part before the first `byte` off *rest and returns it; *rest becomes what follows.
 * Without `byte` the whole rest is returned and *rest becomes empty with at == NULL. */
struct span span_cut(struct span *rest, uint8_t byte);
/* Decimal digits only, no sign, no blank; false on anything else or overflow. */
bool span_to_u64(struct span s, uint64_t *out);

#endif

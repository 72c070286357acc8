/* Posted forms: the parts of multipart/form-data (RFC 7578), and fields of urlencoded ones. */
#ifndef PROTO_HTTP_FORM_H
#define PROTO_HTTP_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/span.h"

enum { HTTP_BOUNDARY_MAX = 70 }; /* RFC 2046 §5.1.1 */

/* A walk over the parts of a body that lies whole in memory. */
struct http_form {
    struct span rest;
    char delimiter[4 + HTTP_BOUNDARY_MAX]; /* CR LF - - boundary */
    size_t delimiter_len;
    bool is_over;
};

/* All spans lie in the body; they are as sent, percent-escapes and all. */
struct http_part {
    struct span name;
    struct span filename; /* at == NULL: a field, not a file */
    struct span type;     /* at == NULL: none was given */
    struct span data;
};

/* False when the Content-Type is no multipart/form-data with a boundary. */
bool http_form_begin(struct http_form *f, struct span content_type, struct span body) NODISCARD;
/* 1 and the next part, 0 behind the last, GW_EPROTO for what is no form. */
int http_form_next(struct http_form *f, struct http_part *out) NODISCARD;

/* A parameter of a header such as `form-data; name="a"`; at == NULL when absent. */
struct span http_parameter(struct span header, const char *name);

/* Cuts the next name=value off an urlencoded text; both are as sent. False at its end. */
bool http_next_pair(struct span *rest, char separator, struct span *name, struct span *value);

#endif

/* Parts are found where they lie; nothing is copied. A body must keep to RFC 2046 §5.1.1 as
 * browsers write it: its first line is the delimiter, every part has a head, the last delimiter
 * ends in --. */
#include "proto/http_form.h"

#include <string.h>

#include <gw/err.h>

#include "proto/http.h"

enum { PART_HEADERS_MAX = 16 };

static struct span unquote(struct span v)
{
    if (v.len >= 2 && v.at[0] == '"' && v.at[v.len - 1] == '"')
        return span_of(v.at + 1, v.len - 2);
    return v;
}

/* The text up to the next separator that stands outside quotes. */
static struct span cut_parameter(struct span *rest)
{
    bool is_quoted = false;
    size_t i = 0;

    for (; i < rest->len && (is_quoted || rest->at[i] != ';'); i++)
        if (rest->at[i] == '"')
            is_quoted = !is_quoted;
    struct span piece = span_of(rest->at, i);
    *rest = span_skip(*rest, i < rest->len ? i + 1 : i);
    return piece;
}

struct span http_parameter(struct span header, const char *name)
{
    (void)cut_parameter(&header);
    while (header.len > 0) {
        struct span value = cut_parameter(&header);
        struct span key = span_trim(span_cut(&value, '='));
        if (value.at && span_eq_nocase(key, name))
            return unquote(span_trim(value));
    }
    return span_of(NULL, 0);
}

bool http_form_begin(struct http_form *f, struct span content_type, struct span body)
{
    struct span rest = content_type;
    struct span kind = span_trim(cut_parameter(&rest));
    struct span boundary = http_parameter(content_type, "boundary");

    if (!span_eq_nocase(kind, "multipart/form-data") || boundary.len == 0 ||
        boundary.len > HTTP_BOUNDARY_MAX)
        return false;
    *f = (struct http_form){.rest = body, .delimiter_len = 4 + boundary.len};
    memcpy(f->delimiter, "\r\n--", 4);
    memcpy(f->delimiter + 4, boundary.at, boundary.len);
    return true;
}

static bool skip(struct span *s, const void *what, size_t len)
{
    if (s->len < len || memcmp(s->at, what, len) != 0)
        return false;
    *s = span_skip(*s, len);
    return true;
}

static int read_head(struct span head, struct http_part *out)
{
    for (size_t n = 0; head.len > 0; n++) {
        struct http_header h;
        struct span line = span_cut(&head, '\n');
        if (line.len > 0 && line.at[line.len - 1] == '\r')
            line.len--;
        if (n == PART_HEADERS_MAX || !http_parse_field(line, &h))
            return GW_EPROTO;
        if (span_eq_nocase(h.name, "content-type"))
            out->type = h.value;
        if (!span_eq_nocase(h.name, "content-disposition"))
            continue;
        out->name = http_parameter(h.value, "name");
        out->filename = http_parameter(h.value, "filename");
    }
    return out->name.at ? 0 : GW_EPROTO;
}

int http_form_next(struct http_form *f, struct http_part *out)
{
    *out = (struct http_part){0};
    if (f->is_over)
        return 0;
    /* The delimiter before the first part has no line end of its own in front. */
    if (!skip(&f->rest, f->delimiter + 2, f->delimiter_len - 2))
        return GW_EPROTO;
    if (skip(&f->rest, "--", 2)) {
        f->is_over = true;
        return 0;
    }
    if (!skip(&f->rest, "\r\n", 2))
        return GW_EPROTO;
    const uint8_t *end = memmem(f->rest.at, f->rest.len, "\r\n\r\n", 4);
    if (!end)
        return GW_EPROTO;
    size_t head_len = (size_t)(end - f->rest.at);
    int rc = read_head(span_of(f->rest.at, head_len), out);
    if (rc < 0)
        return rc;
    f->rest = span_skip(f->rest, head_len + 2); /* the empty line's end may begin the delimiter */
    const uint8_t *next = memmem(f->rest.at, f->rest.len, f->delimiter, f->delimiter_len);
    if (!next)
        return GW_EPROTO;
    size_t data_len = (size_t)(next - f->rest.at);
    out->data = span_skip(span_of(f->rest.at, data_len), 2);
    f->rest = span_skip(f->rest, data_len + 2);
    return 1;
}

bool http_next_pair(struct span *rest, char separator, struct span *name, struct span *value)
{
    while (rest->len > 0) {
        struct span pair = span_trim(span_cut(rest, (uint8_t)separator));
        *name = span_cut(&pair, '=');
        *value = pair.at ? pair : span_of("", 0);
        if (name->len > 0)
            return true;
    }
    return false;
}

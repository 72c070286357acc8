/* Values are looked up when they are asked for, and handed out as texts that live with the request.
 */
#include "service/exchange.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "proto/http_form.h"

/* More fields or uploads than these are not looked at. */
enum { FORM_FIELDS_MAX = 1000, FORM_UPLOADS_MAX = 100 };

struct form {
    struct exchange_fields fields;
    struct gw_upload uploads[FORM_UPLOADS_MAX];
    size_t uploads_n;
};

static void add_field(struct exchange_fields *f, const char *name, const char *value)
{
    if (f->len == f->cap) {
        f->cap = f->cap ? f->cap * 2 : 16;
        f->at = mem_realloc(f->at, f->cap * sizeof *f->at);
    }
    f->at[f->len++] = (struct exchange_field){.name = name, .value = value};
}

struct gw_http *exchange_new(struct gw_conn *conn, const struct http_request *r, struct span body)
{
    struct gw_http *h = mem_zalloc(sizeof *h);

    h->conn = conn;
    h->texts = &h->own_texts;
    h->form_slot = &h->form;
    h->method = arena_text(h->texts, r->method);
    h->path = arena_text(h->texts, r->path);
    h->query = arena_text(h->texts, r->query);
    for (size_t i = 0; i < r->headers_n; i++)
        add_field(&h->headers, arena_text(h->texts, r->headers[i].name),
                  arena_text(h->texts, r->headers[i].value));
    buf_put_span(&h->body, body);
    h->is_keep_alive = r->is_keep_alive;
    h->is_http_1_0 = r->minor == 0;
    h->is_head = span_is(r->method, "HEAD");
    return h;
}

void exchange_free(struct gw_http *h)
{
    if (!h)
        return;
    arena_fini(&h->own_texts);
    mem_free(h->headers.at);
    if (h->form)
        mem_free(h->form->fields.at);
    mem_free(h->form);
    buf_fini(&h->body);
    buf_fini(&h->more_headers);
    mem_free(h);
}

const char *gw_http_method(const struct gw_http *h)
{
    return h->method;
}

const char *gw_http_path(const struct gw_http *h)
{
    return h->path;
}

const char *gw_http_query(const struct gw_http *h)
{
    return h->query;
}

struct gw_bytes gw_http_body(const struct gw_http *h)
{
    return gw_bytes((const char *)h->body.at, h->body.len);
}

const char *gw_http_header(const struct gw_http *h, const char *name)
{
    for (size_t i = 0; name && i < h->headers.len; i++)
        if (strcasecmp(h->headers.at[i].name, name) == 0)
            return h->headers.at[i].value;
    return NULL;
}

/* What is badly escaped is handed out as it was sent. */
static const char *decoded(struct arena *texts, struct span in, bool is_query)
{
    struct buf out = {0};
    bool is_good = http_percent_decode(in, is_query, &out);
    const char *text = arena_text(texts, is_good ? buf_span(&out) : in);

    buf_fini(&out);
    return text;
}

static const char *find_pair(const struct gw_http *h, const char *text, char separator,
                             const char *wanted)
{
    struct span rest = span_str(text), name, value;

    while (wanted && http_next_pair(&rest, separator, &name, &value))
        if (strcmp(decoded(h->texts, name, separator == '&'), wanted) == 0)
            return decoded(h->texts, value, separator == '&');
    return NULL;
}

const char *gw_http_get(const struct gw_http *h, const char *name)
{
    return find_pair(h, h->query, '&', name);
}

const char *gw_http_cookie(const struct gw_http *h, const char *name)
{
    return find_pair(h, gw_http_header(h, "cookie"), ';', name);
}

/* ---- forms ---- */

static void add_part(const struct gw_http *h, struct form *f, const struct http_part *p)
{
    const char *name = arena_text(h->texts, p->name);

    if (!p->filename.at) {
        if (f->fields.len < FORM_FIELDS_MAX)
            add_field(&f->fields, name, arena_text(h->texts, p->data));
        return;
    }
    if (f->uploads_n == FORM_UPLOADS_MAX)
        return;
    f->uploads[f->uploads_n++] = (struct gw_upload){
        .field = name,
        .filename = arena_text(h->texts, p->filename),
        .type = p->type.at ? arena_text(h->texts, p->type) : "application/octet-stream",
        .data = gw_bytes((const char *)p->data.at, p->data.len)};
}

static void read_form(const struct gw_http *h, struct form *f)
{
    struct span type = span_str(gw_http_header(h, "content-type"));
    struct span rest = buf_span(&h->body), name, value;
    struct http_form parts;
    struct http_part part;

    if (http_form_begin(&parts, type, rest)) {
        while (http_form_next(&parts, &part) > 0)
            add_part(h, f, &part);
        return;
    }
    struct span kind = span_trim(span_cut(&type, ';'));
    if (!span_eq_nocase(kind, "application/x-www-form-urlencoded"))
        return;
    while (f->fields.len < FORM_FIELDS_MAX && http_next_pair(&rest, '&', &name, &value))
        add_field(&f->fields, decoded(h->texts, name, true), decoded(h->texts, value, true));
}

static const struct form *form_of(const struct gw_http *h)
{
    if (!*h->form_slot) {
        *h->form_slot = mem_zalloc(sizeof **h->form_slot);
        read_form(h, *h->form_slot);
    }
    return *h->form_slot;
}

const char *gw_http_form(const struct gw_http *h, const char *name)
{
    const struct form *f = form_of(h);

    for (size_t i = 0; name && i < f->fields.len; i++)
        if (strcmp(f->fields.at[i].name, name) == 0)
            return f->fields.at[i].value;
    return NULL;
}

bool gw_http_upload(const struct gw_http *h, size_t pos, struct gw_upload *out)
{
    const struct form *f = form_of(h);

    if (pos >= f->uploads_n)
        return false;
    *out = f->uploads[pos];
    return true;
}

/* A document of PHP values: all of them lie in one arena. */
#include "base/arena.h"
#include "base/mem.h"
#include "proto/php_value.h"

struct php_doc {
    struct arena arena;
};

struct php_doc *php_doc_new(void)
{
    return mem_zalloc(sizeof(struct php_doc));
}

void php_doc_free(struct php_doc *d)
{
    if (!d)
        return;
    arena_fini(&d->arena);
    mem_free(d);
}

void *php_doc_alloc(struct php_doc *d, size_t size)
{
    return arena_alloc_raw(&d->arena, size);
}

uint8_t *php_doc_text(struct php_doc *d, size_t len)
{
    return php_doc_alloc(d, len);
}

static struct php_value *new_value(struct php_doc *d, enum php_type type)
{
    struct php_value *v = php_doc_alloc(d, sizeof *v);

    *v = (struct php_value){.type = type};
    return v;
}

struct php_value *php_new_null(struct php_doc *d)
{
    return new_value(d, PHP_NULL);
}

struct php_value *php_new_bool(struct php_doc *d, bool b)
{
    struct php_value *v = new_value(d, PHP_BOOL);

    v->as.boolean = b;
    return v;
}

struct php_value *php_new_int(struct php_doc *d, int64_t num)
{
    struct php_value *v = new_value(d, PHP_INT);

    v->as.num = num;
    return v;
}

struct php_value *php_new_float(struct php_doc *d, double real)
{
    struct php_value *v = new_value(d, PHP_FLOAT);

    v->as.real = real;
    return v;
}

struct php_value *php_new_string_over(struct php_doc *d, const uint8_t *text, size_t len)
{
    struct php_value *v = new_value(d, PHP_STRING);

    v->as.text = text;
    v->string_len = (uint32_t)len;
    return v;
}

struct php_value *php_new_string(struct php_doc *d, struct span s)
{
    uint8_t *text = php_doc_text(d, s.len);

    if (s.len > 0)
        memcpy(text, s.at, s.len);
    return php_new_string_over(d, text, s.len);
}

struct php_value *php_new_array_sized(struct php_doc *d, size_t len)
{
    struct php_value *v = new_value(d, PHP_ARRAY);

    v->as.array = php_doc_alloc(d, sizeof *v->as.array);
    *v->as.array = (struct php_array){.entries_cap = (uint32_t)len, .next_free = INT64_MIN};
    v->as.array->entries = len > 0 ? php_doc_alloc(d, len * sizeof(struct php_entry)) : NULL;
    return v;
}

struct php_value *php_new_array(struct php_doc *d)
{
    return php_new_array_sized(d, 0);
}

enum php_type php_type(const struct php_value *v)
{
    return v->type;
}

/* Reading a value as another type gives what is empty of that type: callers that care look at
 * php_type() first, and nobody reads memory of the wrong kind. */
bool php_bool(const struct php_value *v)
{
    return v->type == PHP_BOOL && v->as.boolean;
}

int64_t php_int(const struct php_value *v)
{
    return v->type == PHP_INT ? v->as.num : 0;
}

double php_float(const struct php_value *v)
{
    return v->type == PHP_FLOAT ? v->as.real : 0;
}

struct span php_string(const struct php_value *v)
{
    return v->type == PHP_STRING ? span_of(v->as.text, v->string_len) : span_of(NULL, 0);
}

/* Values of a list lie in one allocation, because histories are read often and freed whole. */
#include "store/reply.h"

#include <hiredis/hiredis.h>
#include <string.h>

#include "base/mem.h"
#include "base/part.h"

/* A size that the server chose. */
static bool copy_text(struct gw_reply *out, const redisReply *r)
{
    char *text = mem_try_alloc(r->len + 1);

    if (!text)
        return false;
    memcpy(text, r->str, r->len);
    text[r->len] = '\0';
    out->text = gw_bytes(text, r->len);
    return true;
}

static bool copy(struct gw_reply *out, const redisReply *r, unsigned depth);

static bool copy_items(struct gw_reply *out, const redisReply *r, unsigned depth)
{
    struct gw_reply *items =
        depth < REPLY_DEPTH_MAX ? mem_try_alloc(r->elements * sizeof *items) : NULL;

    if (!items)
        return false;
    memset(items, 0, r->elements * sizeof *items);
    out->items = items;
    out->n = r->elements;
    for (size_t i = 0; i < out->n; i++)
        if (!copy(&items[i], r->element[i], depth + 1))
            return false;
    return true;
}

static bool copy(struct gw_reply *out, const redisReply *r, unsigned depth)
{
    switch (r->type) {
    case REDIS_REPLY_INTEGER:
        out->type = GW_REPLY_INT;
        out->number = r->integer;
        return true;
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
        out->type = GW_REPLY_TEXT;
        return copy_text(out, r);
    case REDIS_REPLY_ERROR:
        out->type = GW_REPLY_ERROR;
        return copy_text(out, r);
    case REDIS_REPLY_ARRAY:
        out->type = GW_REPLY_ARRAY;
        return copy_items(out, r, depth);
    default: /* nil; other types come only to who asked for RESP3 */
        out->type = GW_REPLY_NULL;
        return true;
    }
}

static void free_inside(const struct gw_reply *r)
{
    for (size_t i = 0; i < r->n; i++)
        free_inside(&r->items[i]);
    mem_free((void *)(uintptr_t)r->items);
    mem_free((void *)(uintptr_t)r->text.data);
}

void gw_reply_free(const struct gw_reply *r)
{
    if (!r)
        return;
    free_inside(r);
    mem_free((void *)(uintptr_t)r);
}

struct gw_reply *reply_copy(const redisReply *r)
{
    struct gw_reply *out = mem_zalloc(sizeof *out);

    if (copy(out, r, 0))
        return out;
    gw_reply_free(out);
    return NULL;
}

/* ---- values ---- */

struct gw_values *reply_values(struct span records)
{
    struct span rest = records, part;
    size_t n = 0;

    while (part_take(&rest, &part))
        n++;
    /* The lengths before the values leave the room for their NULs. */
    size_t head = sizeof(struct gw_values) + n * sizeof(struct gw_bytes);
    struct gw_values *out = mem_alloc(head + records.len);
    struct gw_bytes *values = (struct gw_bytes *)(void *)(out + 1);
    char *text = (char *)out + head;
    *out = (struct gw_values){.n = n, .values = values};
    rest = records;
    for (size_t i = 0; part_take(&rest, &part); i++) {
        memcpy(text, part.at, part.len);
        text[part.len] = '\0';
        values[i] = gw_bytes(text, part.len);
        text += part.len + 1;
    }
    return out;
}

void gw_values_free(const struct gw_values *v)
{
    mem_free((void *)(uintptr_t)v);
}

/* A list and all it points to live in one arena. */
#include "client/result.h"

#include "base/mem.h"

struct result *result_new(void)
{
    return mem_zalloc(sizeof(struct result));
}

void gw_result_free(const void *list)
{
    if (!list)
        return;
    /* The caller's view of it is const, the memory is ours. */
    struct result *r = CONTAINER_OF((uintptr_t)list, struct result, list);
    for (size_t i = 0; i < r->sessions_n; i++)
        session_fini(&r->sessions[i]);
    arena_fini(&r->arena);
    mem_free(r);
}

const struct gw_failure *result_failures(struct result *r, const struct fanout *f, size_t *n)
{
    *n = 0;
    for (size_t i = 0; i < f->n; i++)
        *n += f->targets[i].rc < 0;
    if (*n == 0)
        return NULL;
    struct gw_failure *failures = arena_alloc(&r->arena, *n * sizeof *failures);
    size_t pos = 0;
    for (size_t i = 0; i < f->n; i++) {
        if (f->targets[i].rc >= 0)
            continue;
        char text[ADDR_TEXT_MAX];
        gateway_at_text(f->targets[i].at, text);
        memcpy(failures[pos].address, text, strnlen(text, sizeof failures[pos].address - 1));
        failures[pos++].rc = f->targets[i].rc;
    }
    return failures;
}

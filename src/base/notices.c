/* When each gateway of a server last got a group or uid, on pages that all its processes share. */
#include "base/notices.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>

#include "base/crypto.h"
#include "base/hash.h"
#include "base/mem.h"

enum { PAGE_BYTES = 4096, CELLS_N = PAGE_BYTES / sizeof(uint32_t) - 1 };

/* Numbers go round: a cell that was not written for 2^31 of them is taken for news for as long,
 * which costs messages that nobody there wants. */
struct notice_page {
    _Atomic uint32_t said;
    _Atomic uint32_t cells[CELLS_N]; /* the number with which a name of the cell was said last */
};
_Static_assert(sizeof(struct notice_page) == PAGE_BYTES, "pages are shared, not parts of them");

struct notices {
    uint64_t id;
    size_t pages_n;
    struct notice_page *pages;
};

struct notices *notices_new(size_t pages_n)
{
    void *at = mmap(NULL, pages_n * sizeof(struct notice_page), PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        return NULL;
    struct notices *n = mem_alloc(sizeof *n);
    *n = (struct notices){.pages_n = pages_n, .pages = at};
    crypto_random(&n->id, sizeof n->id);
    (void)hash_seed(); /* drawn before the fork, so that all find a name in the same cell */
    return n;
}

void notices_free(struct notices *n)
{
    if (!n)
        return;
    munmap(n->pages, n->pages_n * sizeof *n->pages);
    mem_free(n);
}

void notices_protect(const struct notices *n)
{
    if (n && mprotect(n->pages, n->pages_n * sizeof *n->pages, PROT_READ) < 0)
        return; /* as safe as before */
}

struct notice_page *notices_page(const struct notices *n, size_t pos)
{
    return n && pos < n->pages_n ? &n->pages[pos] : NULL;
}

void notices_name(const struct notices *n, size_t pos, char out[NOTICES_NAME_MAX])
{
    snprintf(out, NOTICES_NAME_MAX, "%016" PRIx64 "/%zu", n->id, pos);
}

const struct notice_page *notices_find(const struct notices *n, struct span name)
{
    char text[NOTICES_NAME_MAX];
    for (size_t pos = 0; n && pos < n->pages_n; pos++) {
        notices_name(n, pos, text);
        if (span_is(name, text))
            return &n->pages[pos];
    }
    return NULL;
}

static size_t cell_of(unsigned kind, struct span name)
{
    return (hash_bytes(hash_seed(), name) + kind) % CELLS_N;
}

uint32_t notice_said(const struct notice_page *p)
{
    return atomic_load_explicit(&p->said, memory_order_acquire);
}

/* One writer: no locked instruction is needed. */
void notice_put(struct notice_page *p, unsigned kind, struct span name)
{
    atomic_store_explicit(&p->cells[cell_of(kind, name)], notice_said(p) + 1, memory_order_relaxed);
}

uint32_t notice_say(struct notice_page *p)
{
    uint32_t said = notice_said(p) + 1;
    atomic_store_explicit(&p->said, said, memory_order_release); /* the cells are written before */
    return said;
}

bool notice_is_news(const struct notice_page *p, unsigned kind, struct span name, uint32_t heard)
{
    if (LIKELY(notice_said(p) == heard))
        return false;
    uint32_t number = atomic_load_explicit(&p->cells[cell_of(kind, name)], memory_order_relaxed);
    return (int32_t)(number - heard) > 0;
}

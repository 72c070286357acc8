/* A short array: clusters have tens of gateways, so it is searched in order. */
#include "client/addr_book.h"

#include <errno.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "net/resolve.h"

void addr_book_fini(struct addr_book *b)
{
    mem_free(b->at);
    *b = (struct addr_book){0};
}

void addr_book_clear(struct addr_book *b)
{
    b->len = b->far_n = 0;
}

bool gateway_at_eq(struct gateway_at a, struct gateway_at b)
{
    return a.ip == b.ip && a.port == b.port;
}

bool addr_book_has(const struct addr_book *b, struct gateway_at at)
{
    for (size_t i = 0; i < b->len; i++)
        if (gateway_at_eq(b->at[i], at))
            return true;
    return false;
}

bool addr_book_is_far(const struct addr_book *b, struct gateway_at at)
{
    for (size_t i = b->len - b->far_n; i < b->len; i++)
        if (gateway_at_eq(b->at[i], at))
            return true;
    return false;
}

void addr_book_add(struct addr_book *b, struct gateway_at at)
{
    if (addr_book_has(b, at))
        return;
    if (b->len == b->cap) {
        b->cap = b->cap ? 2 * b->cap : 8;
        b->at = mem_realloc(b->at, b->cap * sizeof *b->at);
    }
    b->at[b->len++] = at;
}

int addr_book_add_text(struct addr_book *b, const char *text)
{
    struct addr addr;
    int rc = resolve_now(text, &addr);

    if (rc < 0)
        return rc;
    if (addr.family != AF_INET)
        return -EAFNOSUPPORT;
    addr_book_add(b, (struct gateway_at){.ip = addr_ip4(&addr), .port = addr.port});
    return 0;
}

struct gateway_at gateway_of(struct client_id id)
{
    return (struct gateway_at){.ip = id.ip, .port = id.port};
}

uint64_t gateway_at_key(struct gateway_at at)
{
    return (uint64_t)at.ip << 16 | at.port;
}

struct addr gateway_at_addr(struct gateway_at at)
{
    struct addr addr = {.family = AF_INET, .port = at.port};

    put_u32be(addr.ip, at.ip);
    return addr;
}

void gateway_at_text(struct gateway_at at, char out[ADDR_TEXT_MAX])
{
    struct addr addr = gateway_at_addr(at);

    addr_text(&addr, out);
}

/* The gateways that are known: inner addresses in the registry's order, found by client id. */
#ifndef CLIENT_ADDR_BOOK_H
#define CLIENT_ADDR_BOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "net/addr.h"
#include "proto/client_id.h"

/* A gateway's inner address, as client ids carry it. */
struct gateway_at {
    uint32_t ip; /* host order */
    uint16_t port;
};

/* Zero-initialised is empty. */
struct addr_book {
    struct gateway_at *at;
    size_t len;
    size_t cap;
    size_t far_n; /* the last so many are beyond our links: see struct gw_io, publish */
};

void addr_book_fini(struct addr_book *b);
void addr_book_clear(struct addr_book *b);
/* An address that is in it already is not added again. */
void addr_book_add(struct addr_book *b, struct gateway_at at);
/* "127.0.0.1:2300"; names are resolved and may block. 0 or < 0: unusable, nothing is added. */
int addr_book_add_text(struct addr_book *b, const char *text) NODISCARD;
bool addr_book_has(const struct addr_book *b, struct gateway_at at);
bool addr_book_is_far(const struct addr_book *b, struct gateway_at at); /* one of the last far_n */

struct gateway_at gateway_of(struct client_id id);
bool gateway_at_eq(struct gateway_at a, struct gateway_at b);
/* As one number, for tables. */
uint64_t gateway_at_key(struct gateway_at at);
void gateway_at_text(struct gateway_at at, char out[ADDR_TEXT_MAX]);
struct addr gateway_at_addr(struct gateway_at at);

#endif

/* Where a store is, as one line of config says it. */
#ifndef STORE_URL_H
#define STORE_URL_H

#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"

enum store_kind { STORE_SQLITE, STORE_REDIS };

struct store_url {
    enum store_kind kind;
    char *path;     /* of the file or the unix socket; NULL for Redis over TCP */
    char *host;     /* Redis over TCP */
    char *user;     /* NULL: none */
    char *password; /* NULL: none */
    char *shown;    /* the URL without its password, for the log */
    uint16_t port;
    uint32_t db;
    uint64_t timeout_ms;
};

/* The forms are those of <gw/store.h>. 0, or GW_ECONF with one line for a person in `error`, which
 * never contains a password. */
int store_url_parse(const char *text, struct store_url *out, struct buf *error) NODISCARD;
void store_url_fini(struct store_url *u);

#endif

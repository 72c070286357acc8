/* A listening address of a service, where connections come in. */
#ifndef SERVICE_ENTRY_H
#define SERVICE_ENTRY_H

#include <stdbool.h>

#include "base/compiler.h"
#include "chan/chan.h"
#include "chan/door.h"
#include "proto/codec.h"
#include "service/own_codec.h"

struct service;

struct entry {
    struct service *service;
    struct door door;
    struct service_kind kind;
    struct codec own_codec; /* when the module brings its own */
    bool is_http;
};

/* Serves fd, which stays the caller's, in the protocol of that position in service_schemes. tls:
 * borrowed, NULL for none. 0 or -errno, logged. */
int entry_open(struct entry *e, struct service *s, int scheme, int fd,
               struct tls_context *tls) NODISCARD;
void entry_close(struct entry *e); /* accepts no more; twice is fine */

#endif

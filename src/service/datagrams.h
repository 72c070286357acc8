/* A UDP address of a service: each datagram is a message of a handle of its own. */
#ifndef SERVICE_DATAGRAMS_H
#define SERVICE_DATAGRAMS_H

#include "base/compiler.h"
#include "base/span.h"
#include "net/addr.h"
#include "net/loop.h"

struct service;

struct datagrams {
    struct service *service;
    struct watch watch;
    bool is_open;
    bool is_stalled; /* no coroutine was free */
};

/* Borrows fd. 0 or -errno, logged. */
int datagrams_open(struct datagrams *d, struct service *s, int fd) NODISCARD;
void datagrams_close(struct datagrams *d);  /* twice is fine; answers can still be sent */
void datagrams_resume(struct datagrams *d); /* coroutines are free again */
/* 0, GW_EFULL when the kernel takes no more now, or -errno. */
int datagrams_send(struct datagrams *d, const struct addr *to, struct span bytes) NODISCARD;

#endif

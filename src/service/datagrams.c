/* While no coroutine is free nothing is read: the kernel's buffer fills, and drops what is too
 * much, as UDP does. */
#include "service/datagrams.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <gw/err.h>

#include "base/log.h"
#include "service/handle.h"
#include "service/self.h"

/* The largest payload of IPv4 is 65,507 bytes. A turn reads so many, for fairness. */
enum { DATAGRAM_MAX = 65536, READS_PER_TURN = 64 };

static void receive(struct datagrams *d, struct span bytes, const struct addr *from)
{
    struct service *s = d->service;
    struct gw_conn *h = handle_new(s, from, &s->events);

    h->datagrams = d;
    list_append(&s->accepted, &h->node);
    handle_message(h, bytes, true);
}

static void on_ready(struct watch *w, unsigned ready)
{
    struct datagrams *d = CONTAINER_OF(w, struct datagrams, watch);

    (void)ready;
    for (int i = 0; i < READS_PER_TURN && d->is_open; i++) {
        struct sockaddr_storage sa;
        socklen_t sa_len = sizeof sa;
        struct addr from;
        if (!fibers_has_room(&d->service->mesh.fibers)) {
            d->is_stalled = true;
            d->service->is_short = true;
            watch_change(d->service->env->loop, w, 0);
            return;
        }
        /* Copied into the handle before any callback runs that may use the buffer too. */
        uint8_t *at = buf_reserve(conn_pool_buf(d->service->env->conns), DATAGRAM_MAX);
        ssize_t n =
            recvfrom(w->fd, at, DATAGRAM_MAX, MSG_DONTWAIT, (struct sockaddr *)&sa, &sa_len);
        if (n < 0 && (errno == EINTR || errno == ECONNREFUSED))
            continue; /* the latter: an ICMP answer to something sent */
        if (n < 0)
            return;
        addr_from_sockaddr((struct sockaddr *)&sa, &from);
        if ((uint64_t)n <= d->service->conf->max_message_bytes)
            receive(d, span_of(at, (size_t)n), &from);
    }
}

int datagrams_open(struct datagrams *d, struct service *s, int fd)
{
    *d = (struct datagrams){
        .service = s, .watch = {.fd = fd, .on_ready = on_ready}, .is_open = true};
    int rc = watch_start(s->env->loop, &d->watch, LOOP_READ);

    if (rc < 0)
        log_error("cannot watch a UDP address: %s", strerror(-rc));
    return rc;
}

void datagrams_close(struct datagrams *d)
{
    if (d->is_open)
        watch_stop(d->service->env->loop, &d->watch);
    d->is_open = false;
}

void datagrams_resume(struct datagrams *d)
{
    if (!d->is_stalled)
        return;
    d->is_stalled = false;
    if (d->is_open)
        watch_change(d->service->env->loop, &d->watch, LOOP_READ);
}

int datagrams_send(struct datagrams *d, const struct addr *to, struct span bytes)
{
    struct sockaddr_storage sa;
    socklen_t len = addr_to_sockaddr(to, &sa);
    ssize_t n;

    do
        n = sendto(d->watch.fd, bytes.at, bytes.len, MSG_DONTWAIT | MSG_NOSIGNAL,
                   (struct sockaddr *)&sa, len);
    while (n < 0 && errno == EINTR);
    if (n >= 0)
        return 0;
    return errno == EAGAIN || errno == ENOBUFS ? GW_EFULL : -errno;
}

/* The way in of a listener: accepts, believes trusted proxies, and starts TLS.
 *
 * A PROXY header comes before everything else, also before TLS. It is read here, on the bare
 * descriptor and not a byte further, so that the layers above begin with a connection whose peer is
 * known and that looks as if there were no proxy. Where TLS is optional the first byte tells, which
 * is looked at and left where it is. */
#include "chan/door.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gw/err.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/sock.h"
#include "net/tls.h"
#include "proto/proxy.h"
#include "proto/tls_hello.h"

/* Proxies send the header at once; whoever fills this is none. */
enum { GUESTS_MAX_N = 4096, FIRST_BYTES = 256 };

struct guest {
    struct list node; /* in door.guests */
    struct task free_later;
    struct door *door;
    struct watch watch;
    struct addr peer;
    uint64_t until_ms;
    size_t len, cap;
    uint8_t *head; /* what was read; all of it belongs to the header */
};

/* ---- entering ---- */

static void enter(struct door *d, int fd, const struct addr *peer, bool is_plain)
{
    if (is_plain) {
        d->on_enter(d->owner, fd, peer, &plain_transport, NULL);
        return;
    }
    void *tls = tls_new(d->tls, d->is_http);
    if (tls)
        d->on_enter(d->owner, fd, peer, &tls_transport, tls);
    else
        close(fd);
}

/* ---- guests ---- */

static struct guest *oldest(struct door *d)
{
    return CONTAINER_OF(d->guests.next, struct guest, node);
}

static void free_now(struct task *t)
{
    struct guest *g = CONTAINER_OF(t, struct guest, free_later);
    mem_free(g->head);
    mem_free(g);
}

/* Its descriptor is the caller's now; it lives on to the end of the turn. */
static int let_go(struct guest *g)
{
    struct door *d = g->door;
    watch_stop(d->loop, &g->watch);
    list_remove(&g->node);
    d->guests_n--;
    loop_at_end(d->loop, &g->free_later);
    return g->watch.fd;
}

static void turn_away(const struct addr *peer, const char *why)
{
    static struct log_rate rate;
    char from[ADDR_TEXT_MAX];
    addr_text(peer, from);
    log_limited(&rate, LOG_WARN, "%s refused: %s (see proxy_protocol and trusted_proxies)", from,
                why);
}

static void on_timer(struct timer *t)
{
    struct door *d = CONTAINER_OF(t, struct door, timer);
    uint64_t now_ms = loop_now_ms(d->loop);
    while (!list_is_empty(&d->guests) && oldest(d)->until_ms <= now_ms) {
        if (d->has_proxy_header)
            turn_away(&oldest(d)->peer, "no PROXY header in time");
        close(let_go(oldest(d)));
    }
    if (!list_is_empty(&d->guests))
        timer_start(d->loop, t, oldest(d)->until_ms - now_ms);
}

/* The proxy's word for who is behind it. */
static struct addr source_of(const struct guest *g, const struct proxy_head *head)
{
    struct addr a = g->peer;
    if (head->source == PROXY_NO_SOURCE)
        return a;
    a.family = head->source == PROXY_IP6 ? AF_INET6 : AF_INET;
    a.port = head->port;
    memcpy(a.ip, head->ip, sizeof a.ip);
    addr_unmap(&a);
    return a;
}

/* Looks at what has come without taking it. < 0: the errno, or GW_ECLOSED. */
static ssize_t peek(struct guest *g)
{
    if (g->cap - g->len < FIRST_BYTES) {
        g->cap = g->cap ? 2 * g->cap : FIRST_BYTES;
        g->head = mem_realloc(g->head, g->cap);
    }
    ssize_t n = recv(g->watch.fd, g->head + g->len, g->cap - g->len, MSG_PEEK);
    return n > 0 ? n : n == 0 ? GW_ECLOSED : -errno;
}

/* Takes n bytes that were peeked at. */
static bool take(struct guest *g, size_t n)
{
    if (recv(g->watch.fd, g->head + g->len, n, 0) != (ssize_t)n)
        return false;
    g->len += n;
    return true;
}

/* Returns the header's length once it is complete and taken, 0 when more is needed, or < 0. */
static ssize_t read_head(struct guest *g, struct proxy_head *head)
{
    ssize_t seen = peek(g);
    if (seen == -EAGAIN || seen == -EINTR)
        return 0;
    if (seen < 0)
        return seen;
    ssize_t len = proxy_parse(span_of(g->head, g->len + (size_t)seen), head);
    if (len < 0)
        return len;
    /* Of an incomplete header all is taken, or the kernel would report it as readable for ever. */
    size_t n = len > 0 ? (size_t)len - g->len : (size_t)seen;
    return take(g, n) ? len : GW_ECLOSED;
}

static void on_first_byte(struct watch *w, unsigned ready)
{
    struct guest *g = CONTAINER_OF(w, struct guest, watch);
    struct addr peer = g->peer;
    uint8_t first;
    ssize_t n = recv(w->fd, &first, 1, MSG_PEEK);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    int fd = let_go(g);
    if (n == 1)
        enter(g->door, fd, &peer, !tls_hello_may_begin(first));
    else
        close(fd);
}

static void on_head(struct watch *w, unsigned ready)
{
    struct guest *g = CONTAINER_OF(w, struct guest, watch);
    struct proxy_head head;
    ssize_t rc = read_head(g, &head);
    if (rc == 0)
        return;
    int fd = let_go(g);
    if (rc > 0) {
        struct addr peer = source_of(g, &head);
        enter(g->door, fd, &peer, !g->door->tls);
        return;
    }
    if (rc == GW_EPROTO || rc == GW_ETOOBIG)
        turn_away(&g->peer, "it sends no PROXY header");
    close(fd);
}

static void welcome(struct door *d, int fd, const struct addr *peer)
{
    struct guest *g = mem_zalloc(sizeof *g);
    *g = (struct guest){
        .door = d,
        .watch = {.fd = fd, .on_ready = d->has_proxy_header ? on_head : on_first_byte},
        .peer = *peer,
        .free_later.run = free_now};
    g->until_ms = loop_now_ms(d->loop) + d->timeout_ms;
    if (watch_start(d->loop, &g->watch, LOOP_READ) < 0) {
        close(fd);
        mem_free(g);
        return;
    }
    if (d->guests_n >= GUESTS_MAX_N)
        close(let_go(oldest(d)));
    list_append(&d->guests, &g->node);
    d->guests_n++;
    if (!timer_is_running(&d->timer))
        timer_start(d->loop, &d->timer, d->timeout_ms);
}

/* ---- the door ---- */

static void on_accept(void *owner, int fd, const struct addr *peer)
{
    struct door *d = owner;
    if (!d->has_proxy_header) {
        if (d->tls && d->may_be_plain)
            welcome(d, fd, peer);
        else
            enter(d, fd, peer, !d->tls);
    } else if (cidr_set_has(d->trusted, peer)) {
        welcome(d, fd, peer);
    } else {
        turn_away(peer, "only trusted proxies may connect");
        close(fd);
    }
}

int door_open(struct door *d, struct loop *l, int fd, struct tls_context *tls)
{
    struct addr local;
    int rc = sock_local(fd, &local);
    if (rc < 0)
        return rc;
    d->loop = l;
    d->timer.fire = on_timer;
    list_init(&d->guests);
    d->listener = listener_start(l, fd, on_accept, d);
    if (!d->listener)
        return -errno;
    listener_keep_pace(d->listener, d->pace);
    if (tls && local.family != AF_UNIX)
        d->tls = tls_context_ref(tls);
    return 0;
}

void door_close(struct door *d)
{
    if (!d->listener)
        return;
    listener_stop(d->listener);
    d->listener = NULL;
    while (!list_is_empty(&d->guests))
        close(let_go(oldest(d)));
    timer_stop(d->loop, &d->timer);
    tls_context_unref(d->tls);
    d->tls = NULL;
}

void door_renew_tls(struct door *d, struct tls_context *tls)
{
    if (!d->tls)
        return;
    tls_context_unref(d->tls);
    d->tls = tls_context_ref(tls);
}

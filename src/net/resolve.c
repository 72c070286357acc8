/* Host names to addresses without blocking the loop: one short-lived thread per look-up. */
#include "net/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <gw/err.h>

#include "base/mem.h"
#include "net/sig.h"

enum { HOST_MAX = 255, THREAD_STACK_BYTES = 256 * 1024 };

/* What the thread and the loop share. Whoever lets go last frees it, so that a look-up which was
 * cancelled may run to its end. */
struct lookup {
    atomic_int refs_n;
    int done_fd;         /* eventfd, written once the result is there */
    atomic_bool is_done; /* set before that: it orders what the thread wrote before what we read */
    int rc;
    struct addr addr;
    char host[HOST_MAX + 1];
    uint16_t port;
};

struct resolve {
    struct loop *loop;
    resolve_fn *on_done;
    void *owner;
    struct lookup *lookup; /* NULL for numbers */
    struct watch watch;
    struct task soon;
    struct task free_later;
    struct addr addr; /* of numbers */
    bool is_over;
};

static int split(const char *text, char host[HOST_MAX + 1], uint16_t *port)
{
    const char *colon = strrchr(text, ':');
    uint64_t number;
    if (!colon || colon == text || (size_t)(colon - text) > HOST_MAX)
        return -EINVAL;
    if (!span_to_u64(span_str(colon + 1), &number) || number > UINT16_MAX)
        return -EINVAL;
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = '\0';
    *port = (uint16_t)number;
    return 0;
}

static int look_up(const char *host, uint16_t port, struct addr *out)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int rc = getaddrinfo(host, NULL, &hints, &found);
    if (rc == EAI_SYSTEM)
        return errno ? -errno : -EIO;
    if (rc == EAI_MEMORY)
        return -ENOMEM;
    if (rc != 0)
        return rc == EAI_AGAIN ? GW_ETIMEOUT : GW_ENOTFOUND;
    const struct addrinfo *best = found; /* not NULL after success */
    while (best->ai_family != AF_INET && best->ai_next)
        best = best->ai_next;
    if (best->ai_family != AF_INET)
        best = found;
    addr_from_sockaddr(best->ai_addr, out);
    out->port = port;
    freeaddrinfo(found);
    return 0;
}

int resolve_now(const char *text, struct addr *out)
{
    char host[HOST_MAX + 1];
    uint16_t port;
    if (addr_parse(text, out) == 0)
        return 0;
    int rc = split(text, host, &port);
    return rc < 0 ? rc : look_up(host, port, out);
}

static void lookup_unref(struct lookup *k)
{
    if (atomic_fetch_sub(&k->refs_n, 1) > 1)
        return;
    close(k->done_fd);
    mem_free(k);
}

static void *run_lookup(void *arg)
{
    struct lookup *k = arg;
    k->rc = look_up(k->host, k->port, &k->addr);
    atomic_store(&k->is_done, true);
    uint64_t one = 1;
    /* Cannot fail: the counter of an eventfd that is written once has room. */
    ssize_t n = write(k->done_fd, &one, sizeof one);
    (void)n;
    lookup_unref(k);
    return NULL;
}

static int start_thread(struct lookup *k)
{
    sigset_t all, before;
    pthread_attr_t attr;
    pthread_t thread;
    int rc = pthread_attr_init(&attr);
    if (rc != 0)
        return -rc;
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, THREAD_STACK_BYTES);
    sig_mask_of_threads(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&thread, &attr, run_lookup, k);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return -rc;
}

static void free_now(struct task *t)
{
    mem_free(CONTAINER_OF(t, struct resolve, free_later));
}

static void end(struct resolve *r)
{
    r->is_over = true;
    task_cancel(r->loop, &r->soon);
    if (r->lookup) {
        watch_stop(r->loop, &r->watch);
        lookup_unref(r->lookup);
    }
    loop_at_end(r->loop, &r->free_later);
}

void resolve_cancel(struct resolve *r)
{
    if (r && !r->is_over)
        end(r);
}

static void on_number(struct task *t)
{
    struct resolve *r = CONTAINER_OF(t, struct resolve, soon);
    end(r);
    r->on_done(r->owner, 0, &r->addr);
}

static void on_answer(struct watch *w, unsigned ready)
{
    struct resolve *r = CONTAINER_OF(w, struct resolve, watch);
    if (!atomic_load(&r->lookup->is_done))
        return;
    int rc = r->lookup->rc;
    struct addr addr = r->lookup->addr;
    end(r);
    r->on_done(r->owner, rc, &addr);
}

/* Returns 0 with a running thread, or -errno. */
static int begin_lookup(struct resolve *r, const char *text)
{
    struct lookup *k = mem_zalloc(sizeof *k);
    atomic_init(&k->refs_n, 2);
    k->done_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    int rc = k->done_fd < 0 ? -errno : split(text, k->host, &k->port);
    if (rc < 0)
        goto free_lookup;
    r->watch = (struct watch){.fd = k->done_fd, .on_ready = on_answer};
    rc = watch_start(r->loop, &r->watch, LOOP_READ);
    if (rc < 0)
        goto free_lookup;
    rc = start_thread(k);
    if (rc < 0)
        goto stop_watch;
    r->lookup = k;
    return 0;
stop_watch:
    watch_stop(r->loop, &r->watch);
free_lookup:
    if (k->done_fd >= 0)
        close(k->done_fd);
    mem_free(k);
    return rc;
}

struct resolve *resolve_start(struct loop *l, const char *text, resolve_fn *on_done, void *owner)
{
    struct resolve *r = mem_zalloc(sizeof *r);
    *r = (struct resolve){
        .loop = l,
        .on_done = on_done,
        .owner = owner,
        .soon.run = on_number,
        .free_later.run = free_now,
    };
    if (addr_parse(text, &r->addr) == 0) {
        loop_soon(l, &r->soon);
        return r;
    }
    int rc = begin_lookup(r, text);
    if (rc == 0)
        return r;
    mem_free(r);
    errno = -rc;
    return NULL;
}

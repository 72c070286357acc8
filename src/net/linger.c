/* Descriptors that said goodbye: shut down for writing and drained for a moment before they close.
 */
#include "net/linger.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

struct linger_fd {
    struct list node;
    struct lingers *all;
    struct watch watch;
    uint64_t until_ms;
};

enum { DRAINS_PER_TURN = 16, DRAIN_BYTES = 4096 };

static void finish(struct linger_fd *one)
{
    struct lingers *all = one->all;
    watch_stop(all->loop, &one->watch);
    close(one->watch.fd);
    list_remove(&one->node);
    all->len--;
    list_append(&all->done, &one->node);
    loop_at_end(all->loop, &all->free_done);
}

static struct linger_fd *oldest(struct lingers *all)
{
    return CONTAINER_OF(all->list.next, struct linger_fd, node);
}

static void on_ready(struct watch *w, unsigned ready)
{
    struct linger_fd *one = CONTAINER_OF(w, struct linger_fd, watch);
    uint8_t ignored[DRAIN_BYTES];
    ssize_t n = 1;
    for (int i = 0; i < DRAINS_PER_TURN && n > 0; i++)
        n = recv(w->fd, ignored, sizeof ignored, 0);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        finish(one);
}

static void on_timer(struct timer *t)
{
    struct lingers *all = CONTAINER_OF(t, struct lingers, timer);
    uint64_t now_ms = loop_now_ms(all->loop);
    while (!list_is_empty(&all->list) && oldest(all)->until_ms <= now_ms)
        finish(oldest(all));
    if (!list_is_empty(&all->list))
        timer_start(all->loop, t, oldest(all)->until_ms - now_ms);
}

static void free_done(struct task *t)
{
    struct lingers *all = CONTAINER_OF(t, struct lingers, free_done);
    while (!list_is_empty(&all->done)) {
        struct linger_fd *one = CONTAINER_OF(all->done.next, struct linger_fd, node);
        list_remove(&one->node);
        mem_free(one);
    }
}

void lingers_init(struct lingers *all, struct loop *l)
{
    *all = (struct lingers){.loop = l, .timer.fire = on_timer, .free_done.run = free_done};
    list_init(&all->list);
    list_init(&all->done);
}

void lingers_fini(struct lingers *all)
{
    while (!list_is_empty(&all->list))
        finish(oldest(all));
    timer_stop(all->loop, &all->timer);
    task_cancel(all->loop, &all->free_done);
    free_done(&all->free_done);
}

void lingers_take(struct lingers *all, int fd)
{
    struct linger_fd *one = mem_zalloc(sizeof *one);
    *one = (struct linger_fd){.all = all, .watch = {.fd = fd, .on_ready = on_ready}};
    one->until_ms = loop_now_ms(all->loop) + LINGER_MS;
    if (watch_start(all->loop, &one->watch, LOOP_READ) < 0) {
        close(fd);
        mem_free(one);
        return;
    }
    if (all->len >= LINGERS_MAX_N)
        finish(oldest(all));
    list_append(&all->list, &one->node);
    all->len++;
    if (!timer_is_running(&all->timer))
        timer_start(all->loop, &all->timer, LINGER_MS);
}

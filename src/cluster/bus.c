/* Two queues of records under one lock: `out` is taken as a whole by our thread, which blocks in
 * libnats where the loop must not; `in` is filled by libnats's threads and taken as a whole by the
 * loop, which an eventfd wakes. Both are byte buffers that are swapped, so that nothing is
 * allocated per message once they have grown. */
#include "cluster/bus.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <gw/err.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "cluster/cond.h"
#include "cluster/record.h"
#include "net/sig.h"
#include "proc/role.h"

enum {
    REOPEN_MS = 2000,
    BACK_MS = 500, /* who else has lost the server may be back by then, and hear what is sent */
    CLOSE_MAX_MS = 1000,
    KEEP_BYTES = 1024 * 1024, /* a buffer that grew beyond that is given back when it is empty */
};

struct bus {
    struct loop *loop;
    const struct nats_conf *conf;
    const struct bus_events *events;
    void *owner;
    struct watch watch; /* of the eventfd */
    pthread_t thread;
    bool is_running;

    pthread_mutex_t lock; /* guards from here … */
    pthread_cond_t has_work;
    pthread_cond_t has_ended;
    struct buf out;
    struct buf in;
    uint64_t max_payload;
    size_t in_hand_bytes; /* taken from out, not yet given to libnats */
    bool is_up;
    bool is_fresh; /* the next up is the first of a connection */
    bool is_back;  /* connected again, not yet used */
    bool is_ended; /* libnats gave up */
    bool is_stopping;
    bool is_done; /* the thread has nothing left but to return */
    bool was_full;
    uint64_t in_n, out_n;           /* messages */
    uint64_t lost_in_n, lost_out_n; /* … to here */

    struct nats *nats;  /* the thread's */
    struct buf in_hand; /* the thread's */
    struct buf reading; /* the loop's, as are those below */
    size_t read_bytes;  /* of reading, which were handled */
    bool knows_up;      /* what on_up() and on_down() told */
    bool is_paused;
    uint64_t told_lost_in_n;
};

/* ---- buffers ---- */

static void swap(struct buf *a, struct buf *b)
{
    struct buf c = *a;

    *a = *b;
    *b = c;
}

static void empty(struct buf *b)
{
    if (b->cap > KEEP_BYTES)
        buf_fini(b);
    else
        buf_clear(b);
}

/* ---- what libnats's threads and ours tell the loop; the lock is held ---- */

static void wake_loop(struct bus *b)
{
    uint64_t one = 1;
    /* It can only refuse when it holds 2^64 - 2 wake-ups already. */
    ssize_t wrote = write(b->watch.fd, &one, sizeof one);
    (void)wrote;
}

static void tell(struct bus *b, enum record_kind kind, const char *reply, struct span data)
{
    bool was_empty = b->in.len == 0;

    record_put(&b->in, kind, "", reply, data);
    if (was_empty)
        wake_loop(b);
}

static void on_nats_up(void *owner, const char *server, uint64_t max_payload)
{
    struct bus *b = owner;

    pthread_mutex_lock(&b->lock);
    b->is_up = true;
    b->max_payload = max_payload;
    b->is_back = !b->is_fresh;
    tell(b, b->is_fresh ? RECORD_FRESH_UP : RECORD_UP, "", span_str(server));
    b->is_fresh = false;
    pthread_cond_signal(&b->has_work);
    pthread_mutex_unlock(&b->lock);
}

static void on_nats_down(void *owner, const char *why)
{
    struct bus *b = owner;

    pthread_mutex_lock(&b->lock);
    b->is_up = false;
    b->was_full = false;
    tell(b, RECORD_DOWN, "", span_str(why));
    pthread_mutex_unlock(&b->lock);
}

static void on_nats_ended(void *owner, const char *why)
{
    struct bus *b = owner;

    pthread_mutex_lock(&b->lock);
    b->is_up = false;
    b->is_ended = true;
    if (!b->is_stopping)
        tell(b, RECORD_TROUBLE, "", span_str(why));
    pthread_cond_signal(&b->has_work);
    pthread_mutex_unlock(&b->lock);
}

static void on_nats_message(void *owner, const char *reply, struct span data)
{
    struct bus *b = owner;
    size_t reply_len = strlen(reply);

    pthread_mutex_lock(&b->lock);
    bool has_room = b->in.len + record_bytes(0, reply_len, data.len) <= b->conf->buffer_bytes &&
                    reply_len <= UINT16_MAX;
    if (has_room)
        tell(b, RECORD_MESSAGE, reply, data);
    b->in_n += has_room;
    b->lost_in_n += !has_room;
    pthread_mutex_unlock(&b->lock);
}

static void on_nats_trouble(void *owner, const char *what)
{
    struct bus *b = owner;

    pthread_mutex_lock(&b->lock);
    tell(b, RECORD_TROUBLE, "", span_str(what));
    pthread_mutex_unlock(&b->lock);
}

static const struct nats_events nats_events = {
    .on_up = on_nats_up,
    .on_down = on_nats_down,
    .on_ended = on_nats_ended,
    .on_message = on_nats_message,
    .on_trouble = on_nats_trouble,
};

/* ---- on our thread ---- */

/* The lock is held; others may take it meanwhile. */
static void wait_ms(struct bus *b, int64_t ms)
{
    struct timespec until = cond_deadline(ms);

    while (!b->is_stopping && cond_wait_until(&b->has_work, &b->lock, &until))
        ;
}

/* Also after libnats gave up: a server that refuses us today may have its config mended. The lock
 * is held but while libnats works. */
static void open_nats(struct bus *b)
{
    char why[NATS_WHY_MAX] = "";

    b->is_fresh = true;
    b->is_ended = false;
    pthread_mutex_unlock(&b->lock);
    nats_close(b->nats);
    b->nats = NULL;
    int rc = nats_open(b->conf, &nats_events, b, &b->nats, why);
    pthread_mutex_lock(&b->lock);
    if (rc < 0) {
        tell(b, RECORD_TROUBLE, "", span_str(why));
        b->is_ended = true;
    }
}

static size_t run_record(struct bus *b, struct span from, uint64_t *sent_n, uint64_t *lost_n)
{
    struct record r;
    const char *subject, *reply;
    struct span data;
    size_t bytes = record_get(from, &r, &subject, &reply, &data);

    if (r.kind == RECORD_SUBSCRIBE)
        nats_subscribe(b->nats, subject);
    else if (r.kind == RECORD_UNSUBSCRIBE)
        nats_unsubscribe(b->nats, subject);
    else if (nats_publish(b->nats, subject, reply, data) == 0)
        ++*sent_n;
    else
        ++*lost_n;
    return bytes;
}

/* The lock is held but while libnats works. */
static void give_to_nats(struct bus *b)
{
    uint64_t sent_n = 0, lost_n = 0;

    swap(&b->out, &b->in_hand);
    b->in_hand_bytes = b->in_hand.len;
    pthread_mutex_unlock(&b->lock);
    for (struct span rest = buf_span(&b->in_hand); rest.len > 0;)
        rest = span_skip(rest, run_record(b, rest, &sent_n, &lost_n));
    empty(&b->in_hand);
    pthread_mutex_lock(&b->lock);
    b->in_hand_bytes = 0;
    b->out_n += sent_n;
    b->lost_out_n += lost_n;
    if (b->was_full)
        tell(b, RECORD_ROOM, "", span_of(NULL, 0));
    b->was_full = false;
}

static void *work(void *arg)
{
    struct bus *b = arg;

    pthread_mutex_lock(&b->lock);
    open_nats(b);
    while (!b->is_stopping) {
        if (b->is_ended) {
            wait_ms(b, REOPEN_MS);
            if (!b->is_stopping)
                open_nats(b);
        } else if (b->is_up && b->is_back) {
            b->is_back = false;
            wait_ms(b, BACK_MS);
        } else if (b->is_up && b->out.len > 0) {
            give_to_nats(b);
        } else {
            pthread_cond_wait(&b->has_work, &b->lock);
        }
    }
    if (b->is_up && b->nats && b->out.len > 0)
        give_to_nats(b);
    pthread_mutex_unlock(&b->lock);
    nats_close(b->nats);
    pthread_mutex_lock(&b->lock);
    b->nats = NULL;
    b->is_done = true;
    pthread_cond_signal(&b->has_ended);
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

/* ---- on the loop ---- */

static void come_up(struct bus *b, bool is_fresh, struct span server)
{
    log_info("connected to NATS at %.*s", (int)server.len, (const char *)server.at);
    b->knows_up = true;
    b->events->on_up(b->owner, is_fresh);
}

static void go_down(struct bus *b, struct span why)
{
    static struct log_rate rate;

    if (b->knows_up)
        log_limited(&rate, LOG_WARN,
                    "lost NATS (%.*s): looking for a server; messages for other hosts wait",
                    (int)why.len, (const char *)why.at);
    b->knows_up = false;
    b->events->on_down(b->owner);
    if (b->events->on_room)
        b->events->on_room(b->owner);
}

static void handle(struct bus *b, const struct record *r, const char *reply, struct span data)
{
    static struct log_rate rate;

    switch ((enum record_kind)r->kind) {
    case RECORD_UP:
    case RECORD_FRESH_UP:
        come_up(b, r->kind == RECORD_FRESH_UP, data);
        break;
    case RECORD_DOWN:
        go_down(b, data);
        break;
    case RECORD_MESSAGE:
        b->events->on_message(b->owner, reply, data);
        break;
    case RECORD_TROUBLE:
        log_limited(&rate, LOG_WARN, "NATS: %.*s", (int)data.len, (const char *)data.at);
        break;
    default:
        if (b->events->on_room)
            b->events->on_room(b->owner);
    }
}

/* Takes what has come, unless something of the last time is left. */
static void take_in(struct bus *b)
{
    static struct log_rate rate;

    if (b->read_bytes < b->reading.len)
        return;
    empty(&b->reading);
    b->read_bytes = 0;
    pthread_mutex_lock(&b->lock);
    swap(&b->reading, &b->in);
    uint64_t lost_n = b->lost_in_n;
    pthread_mutex_unlock(&b->lock);
    if (lost_n > b->told_lost_in_n)
        log_limited(&rate, LOG_WARN,
                    "%" PRIu64 " messages from NATS are lost: they came faster than this process "
                    "could take them (buffer_bytes)",
                    lost_n - b->told_lost_in_n);
    b->told_lost_in_n = lost_n;
}

/* One take per turn. What comes behind it wakes the loop again; if it was what a pause had left,
 * that has happened already. */
static void read_in(struct bus *b)
{
    bool has_rest = b->read_bytes < b->reading.len;

    take_in(b);
    while (!b->is_paused && b->read_bytes < b->reading.len) {
        struct record r;
        const char *subject, *reply;
        struct span data;
        b->read_bytes += record_get(span_skip(buf_span(&b->reading), b->read_bytes), &r, &subject,
                                    &reply, &data);
        handle(b, &r, reply, data);
    }
    if (has_rest && !b->is_paused)
        wake_loop(b);
}

static void on_wake(struct watch *w, unsigned ready)
{
    uint64_t count;
    struct bus *b = CONTAINER_OF(w, struct bus, watch);

    if (read(w->fd, &count, sizeof count) > 0)
        read_in(b);
}

/* As libnats they are the process's. */
static size_t threads_n;

/* Threads, ours or libnats's, are still in OpenSSL, which would be taken down under them. */
static void leave_at_once(int status, void *arg)
{
    if (threads_n == 0)
        return;
    fflush(NULL);
    _exit(status);
}

/* libnats's threads inherit the mask. A process may end without bus_close(). */
static int start_thread(struct bus *b)
{
    sigset_t all, before;

    sig_mask_of_threads(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&b->thread, NULL, work, b);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0)
        return -rc;
    b->is_running = true;
    threads_n++;
    on_exit(leave_at_once, NULL);
    return 0;
}

struct bus *bus_open(struct loop *loop, const struct nats_conf *conf,
                     const struct bus_events *events, void *owner)
{
    struct bus *b = mem_zalloc(sizeof *b);

    *b = (struct bus){.loop = loop, .conf = conf, .events = events, .owner = owner};
    pthread_mutex_init(&b->lock, NULL);
    cond_init(&b->has_work);
    cond_init(&b->has_ended);
    b->watch.on_ready = on_wake;
    b->watch.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int rc = b->watch.fd < 0 ? -errno : watch_start(loop, &b->watch, LOOP_READ);
    if (rc == 0)
        rc = start_thread(b);
    if (rc == 0)
        return b;
    bus_close(b);
    errno = -rc;
    return NULL;
}

/* false: libnats still waits for a server; the process ends without it. Not by
 * pthread_clockjoin_np(), which ThreadSanitizer does not know. */
static bool end_thread(struct bus *b)
{
    struct timespec until = cond_deadline(CLOSE_MAX_MS);

    pthread_mutex_lock(&b->lock);
    b->is_stopping = true;
    pthread_cond_signal(&b->has_work);
    while (!b->is_done && cond_wait_until(&b->has_ended, &b->lock, &until))
        ;
    bool is_done = b->is_done;
    pthread_mutex_unlock(&b->lock);
    if (!is_done)
        return false;
    pthread_join(b->thread, NULL);
    threads_n--;
    return true;
}

void bus_close(struct bus *b)
{
    if (!b)
        return;
    if (b->is_running && !end_thread(b)) {
        watch_stop(b->loop, &b->watch);
        on_exit(leave_at_once, NULL); /* again: in front of what the threads have added */
        return;
    }
    if (b->watch.fd >= 0) {
        watch_stop(b->loop, &b->watch);
        close(b->watch.fd);
    }
    pthread_cond_destroy(&b->has_ended);
    pthread_cond_destroy(&b->has_work);
    pthread_mutex_destroy(&b->lock);
    buf_fini(&b->out);
    buf_fini(&b->in);
    buf_fini(&b->in_hand);
    buf_fini(&b->reading);
    mem_free(b);
}

/* ---- calls ---- */

static int complain(int rc, uint64_t lost_n, size_t len, uint64_t max_payload)
{
    static struct log_rate full, big;

    if (rc == GW_EFULL)
        log_limited(&full, LOG_WARN,
                    "no room for messages to other hosts while NATS is away or slow "
                    "(buffer_bytes): %" PRIu64 " are lost so far",
                    lost_n);
    else if (rc == GW_ETOOBIG)
        log_limited(&big, LOG_WARN,
                    "a message of %zu bytes is too big for NATS: raise max_payload (%" PRIu64
                    ") of nats-server",
                    len, max_payload);
    return rc;
}

/* The lock is held. */
static int queue(struct bus *b, const char *subject, const char *reply, struct span data)
{
    size_t bytes = record_bytes(strlen(subject), strlen(reply), data.len);

    if (b->max_payload > 0 && data.len > b->max_payload)
        return GW_ETOOBIG;
    if (b->out.len + b->in_hand_bytes + bytes > b->conf->buffer_bytes) {
        b->lost_out_n++;
        return GW_EFULL;
    }
    record_put(&b->out, RECORD_PUBLISH, subject, reply, data);
    pthread_cond_signal(&b->has_work);
    return 0;
}

int bus_publish(struct bus *b, const char *subject, const char *reply, struct span data)
{
    pthread_mutex_lock(&b->lock);
    int rc = queue(b, subject, reply, data);
    uint64_t lost_n = b->lost_out_n;
    uint64_t max_payload = b->max_payload;
    pthread_mutex_unlock(&b->lock);
    return complain(rc, lost_n, data.len, max_payload);
}

/* Never refused: there are as many as there are groups and uids. */
static void queue_change(struct bus *b, enum record_kind kind, const char *subject)
{
    pthread_mutex_lock(&b->lock);
    record_put(&b->out, kind, subject, "", span_of(NULL, 0));
    pthread_cond_signal(&b->has_work);
    pthread_mutex_unlock(&b->lock);
}

void bus_subscribe(struct bus *b, const char *subject)
{
    queue_change(b, RECORD_SUBSCRIBE, subject);
}

void bus_unsubscribe(struct bus *b, const char *subject)
{
    queue_change(b, RECORD_UNSUBSCRIBE, subject);
}

bool bus_is_up(const struct bus *b)
{
    return b->knows_up;
}

bool bus_is_full(struct bus *b)
{
    pthread_mutex_lock(&b->lock);
    bool is_full = b->is_up && b->out.len + b->in_hand_bytes > b->conf->buffer_bytes / 2;
    if (is_full)
        b->was_full = true;
    pthread_mutex_unlock(&b->lock);
    return is_full;
}

bool bus_is_flushed(struct bus *b)
{
    pthread_mutex_lock(&b->lock);
    bool is_flushed = !b->is_up || b->out.len + b->in_hand_bytes == 0;
    pthread_mutex_unlock(&b->lock);
    return is_flushed;
}

void bus_pause(struct bus *b)
{
    b->is_paused = true;
}

void bus_resume(struct bus *b)
{
    if (!b->is_paused)
        return;
    b->is_paused = false;
    wake_loop(b);
}

void bus_status(struct bus *b, struct role_status *out)
{
    pthread_mutex_lock(&b->lock);
    out->nats_in_n = b->in_n;
    out->nats_out_n = b->out_n;
    out->nats_lost_n = b->lost_in_n + b->lost_out_n;
    pthread_mutex_unlock(&b->lock);
}

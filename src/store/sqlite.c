/* Jobs go to the thread and come back over two lists under one lock; an eventfd wakes the loop. A
 * job belongs to the thread between the lists: the loop touches only what is marked as its own. */
#include "store/sqlite.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/sig.h"
#include "store/db.h"

enum {
    JOBS_MAX = 10000,
    JOBS_BYTES_MAX = 16 * 1024 * 1024,
    BATCH_MAX = 1000,
    THREAD_STACK_BYTES = 512 * 1024,
};

struct sqlite_job {
    struct list node;        /* in `pending` or `done` */
    sqlite_done_fn *on_done; /* the loop's; NULL: abandoned */
    void *owner;             /* the loop's */
    size_t bytes;            /* never changes */
    struct store_op op;
    int rc;
    bool is_store_error; /* rc is about the database, not about the operation */
    char error[DB_ERROR_MAX];
    char text[]; /* key, field and value */
};

struct sqlite {
    struct store_host host;
    const struct store_url *url;
    const char *path;
    struct watch watch; /* of the eventfd */
    pthread_t thread;
    bool is_running;

    pthread_mutex_t lock; /* guards from here … */
    pthread_cond_t has_work;
    struct list pending;
    struct list done;
    size_t jobs_n; /* in pending and under way */
    size_t jobs_bytes;
    bool is_stopping; /* … to here */

    struct db *db; /* the thread's */
    bool is_away;  /* the loop's: the log says so */
    struct log_rate went, came;
};

/* ---- on the thread ---- */

static void fail_job(struct sqlite_job *job, int rc, const char *error)
{
    job->rc = rc;
    job->is_store_error = true;
    snprintf(job->error, sizeof job->error, "%s", error);
    buf_fini(&job->op.records);
}

static void fail_batch(struct list *batch, int rc, const char *error)
{
    for (struct list *n = batch->next; n != batch; n = n->next)
        fail_job(CONTAINER_OF(n, struct sqlite_job, node), rc, error);
}

static bool is_writing(const struct list *batch)
{
    for (struct list *n = batch->next; n != batch; n = n->next)
        if (op_is_writing(&CONTAINER_OF(n, struct sqlite_job, node)->op))
            return true;
    return false;
}

static bool is_about_operation(int rc)
{
    return rc == 0 || rc == GW_EREFUSED || rc == GW_ENOTFOUND;
}

/* 0, or the error for which the transaction must be undone. */
static int run_all(struct db *d, struct list *batch)
{
    for (struct list *n = batch->next; n != batch; n = n->next) {
        struct sqlite_job *job = CONTAINER_OF(n, struct sqlite_job, node);
        job->rc = db_run(d, &job->op);
        if (!is_about_operation(job->rc))
            return job->rc;
    }
    return 0;
}

/* All of a batch is kept, or nothing of it. */
static int run_batch(struct sqlite *s, struct list *batch)
{
    char error[DB_ERROR_MAX] = "";
    int rc = s->db ? 0 : db_open(s->path, &s->db, error);

    if (rc < 0) {
        fail_batch(batch, rc, error);
        return rc;
    }
    rc = db_begin(s->db, is_writing(batch));
    if (rc == 0) {
        rc = run_all(s->db, batch);
        if (rc == 0)
            rc = db_commit(s->db);
        if (rc < 0)
            snprintf(error, sizeof error, "%s", db_error(s->db));
        db_rollback(s->db); /* nothing is left to undo after a commit */
    } else
        snprintf(error, sizeof error, "%s", db_error(s->db));
    if (rc < 0)
        fail_batch(batch, rc, error);
    if (rc < 0 && rc != -EBUSY) { /* the file may have been replaced: it is opened anew */
        db_close(s->db);
        s->db = NULL;
    }
    return rc;
}

/* Waits for jobs; false: there are none and none will come. */
static bool take_batch(struct sqlite *s, struct list *batch)
{
    list_init(batch);
    pthread_mutex_lock(&s->lock);
    while (list_is_empty(&s->pending) && !s->is_stopping)
        pthread_cond_wait(&s->has_work, &s->lock);
    for (size_t n = 0; n < BATCH_MAX && !list_is_empty(&s->pending); n++) {
        struct list *node = s->pending.next;
        list_remove(node);
        list_append(batch, node);
    }
    pthread_mutex_unlock(&s->lock);
    return !list_is_empty(batch);
}

static bool give_back(struct sqlite *s, struct list *batch)
{
    uint64_t one = 1;

    pthread_mutex_lock(&s->lock);
    for (struct list *n = batch->next; n != batch; n = n->next) {
        s->jobs_n--;
        s->jobs_bytes -= CONTAINER_OF(n, struct sqlite_job, node)->bytes;
    }
    list_take_all(&s->done, batch);
    bool is_stopping = s->is_stopping;
    pthread_mutex_unlock(&s->lock);
    /* It can only refuse when it holds 2^64 - 2 wake-ups already. */
    ssize_t wrote = write(s->watch.fd, &one, sizeof one);
    return is_stopping || wrote < 0;
}

static void *work(void *arg)
{
    struct sqlite *s = arg;
    struct list batch;
    bool is_last = false;

    while (!is_last && take_batch(s, &batch)) {
        int rc = run_batch(s, &batch);
        is_last = give_back(s, &batch) && rc < 0; /* a failing database does not hold up a stop */
    }
    db_close(s->db);
    s->db = NULL;
    return NULL;
}

/* ---- on the loop ---- */

static void note_state(struct sqlite *s, const struct sqlite_job *job)
{
    if (job->is_store_error) {
        if (!s->is_away)
            log_limited(&s->went, LOG_WARN, "store %s fails: %s (%s)", s->url->shown,
                        gw_strerror(job->rc), job->error);
        s->is_away = true;
    } else if (s->is_away) {
        log_limited(&s->came, LOG_INFO, "store %s works again", s->url->shown);
        s->is_away = false;
    }
}

static void free_job(struct sqlite_job *job)
{
    buf_fini(&job->op.records);
    mem_free(job);
}

static void deliver(struct sqlite *s)
{
    struct list done;

    list_init(&done);
    pthread_mutex_lock(&s->lock);
    list_take_all(&done, &s->done);
    pthread_mutex_unlock(&s->lock);
    while (!list_is_empty(&done)) {
        struct sqlite_job *job = CONTAINER_OF(done.next, struct sqlite_job, node);
        list_remove(&job->node);
        note_state(s, job);
        if (job->on_done)
            job->on_done(job->owner, job->rc, &job->op);
        free_job(job);
    }
}

static void on_event(struct watch *w, unsigned ready)
{
    uint64_t count;

    if (read(w->fd, &count, sizeof count) > 0)
        deliver(CONTAINER_OF(w, struct sqlite, watch));
}

static int start_thread(struct sqlite *s)
{
    sigset_t all;
    sigset_t before;
    pthread_attr_t attr;
    int rc = pthread_attr_init(&attr);

    if (rc != 0)
        return -rc;
    pthread_attr_setstacksize(&attr, THREAD_STACK_BYTES);
    sig_mask_of_threads(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&s->thread, &attr, work, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    s->is_running = rc == 0;
    return -rc;
}

struct sqlite *sqlite_start(struct store_host host, const struct store_url *url, const char *path)
{
    struct sqlite *s = mem_zalloc(sizeof *s);

    s->host = host;
    s->url = url;
    s->path = path;
    list_init(&s->pending);
    list_init(&s->done);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->has_work, NULL);
    s->watch.on_ready = on_event;
    s->watch.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int rc = s->watch.fd < 0 ? -errno : watch_start(host.loop, &s->watch, LOOP_READ);
    if (rc == 0)
        rc = start_thread(s);
    if (rc == 0)
        return s;
    sqlite_free(s);
    errno = -rc;
    return NULL;
}

void sqlite_stop(struct sqlite *s)
{
    if (!s->is_running)
        return;
    pthread_mutex_lock(&s->lock);
    s->is_stopping = true;
    pthread_cond_signal(&s->has_work);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    s->is_running = false;
    fail_batch(&s->pending, GW_EAWAY, "it was stopped");
    list_take_all(&s->done, &s->pending);
    deliver(s);
}

void sqlite_free(struct sqlite *s)
{
    if (!s)
        return;
    sqlite_stop(s);
    if (s->watch.fd >= 0) {
        watch_stop(s->host.loop, &s->watch);
        close(s->watch.fd);
    }
    pthread_cond_destroy(&s->has_work);
    pthread_mutex_destroy(&s->lock);
    mem_free(s);
}

/* ---- calls ---- */

static struct gw_bytes keep(struct gw_bytes bytes, char **at)
{
    struct gw_bytes kept = {*at, bytes.len};

    if (bytes.len > 0)
        memcpy(*at, bytes.data, bytes.len);
    *at += bytes.len;
    return kept;
}

static bool queue(struct sqlite *s, struct sqlite_job *job)
{
    pthread_mutex_lock(&s->lock);
    bool has_room =
        s->is_running && s->jobs_n < JOBS_MAX && s->jobs_bytes + job->bytes <= JOBS_BYTES_MAX;
    if (has_room) {
        s->jobs_n++;
        s->jobs_bytes += job->bytes;
        list_append(&s->pending, &job->node);
        pthread_cond_signal(&s->has_work);
    }
    pthread_mutex_unlock(&s->lock);
    return has_room;
}

int sqlite_submit(struct sqlite *s, const struct store_op *op, sqlite_done_fn *on_done, void *owner,
                  struct sqlite_job **out)
{
    size_t bytes = op->key.len + op->field.len + op->value.len;
    struct sqlite_job *job = mem_alloc(sizeof *job + bytes);
    char *at = job->text;

    *job = (struct sqlite_job){.on_done = on_done, .owner = owner, .bytes = bytes, .op = *op};
    job->op.key = keep(op->key, &at);
    job->op.field = keep(op->field, &at);
    job->op.value = keep(op->value, &at);
    if (!queue(s, job)) {
        mem_free(job);
        return GW_EFULL;
    }
    *out = job;
    return 0;
}

void sqlite_abandon(struct sqlite_job *job)
{
    job->on_done = NULL;
}

struct waiter {
    struct store_call call;
    struct store_op *op;
    bool is_answered;
};

static void on_done(void *owner, int rc, struct store_op *answer)
{
    struct waiter *w = owner;

    w->is_answered = true;
    w->op->result = answer->result;
    w->op->records = answer->records; /* taken over */
    answer->records = (struct buf){0};
    call_end(&w->call, rc);
    w->call.rc = rc; /* also when it comes in the turn of its deadline */
}

int sqlite_call(struct sqlite *s, struct store_op *op)
{
    struct waiter w = {.op = op};
    struct sqlite_job *job;

    if (!fibers_is_inside(s->host.fibers))
        return GW_ECONTEXT;
    if (!s->is_running)
        return GW_EAWAY;
    call_init(&w.call, s->host);
    int rc = sqlite_submit(s, op, on_done, &w, &job);
    if (rc < 0)
        return rc;
    rc = call_wait(&w.call, s->url->timeout_ms);
    if (!w.is_answered)
        sqlite_abandon(job);
    return rc;
}

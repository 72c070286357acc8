/* Checks what is asked, then hands it to the kind of store that the URL named. */
#include "store/store.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/part.h"
#include "store/redis_ops.h"
#include "store/reply.h"
#include "store/sqlite.h"

enum { OP_BYTES_MAX = 1024 * 1024, LIST_MAX = 100000 };

struct gw_store {
    char *text; /* as it was opened */
    struct store_url url;
    char *path; /* of the file, absolute */
    struct sqlite *sqlite;
    struct redis *redis;
};

/* ---- opening and ending ---- */

void stores_init(struct stores *s, struct store_host host, const struct conf *conf)
{
    *s = (struct stores){.host = host, .conf = conf};
}

static struct gw_store *find(const struct stores *s, const char *text)
{
    for (size_t i = 0; i < s->all.len; i++) {
        struct gw_store *one = s->all.at[i];
        if (strcmp(one->text, text) == 0)
            return one;
    }
    return NULL;
}

static int start_sqlite(struct stores *all, struct gw_store *s)
{
    const char *path = all->conf ? conf_path(all->conf, s->url.path) : s->url.path;

    s->path = mem_strdup(path);
    s->sqlite = sqlite_start(all->host, &s->url, s->path);
    return s->sqlite ? 0 : -errno;
}

static void free_store(struct gw_store *s)
{
    sqlite_free(s->sqlite);
    redis_free(s->redis);
    store_url_fini(&s->url);
    mem_free(s->path);
    mem_free(s->text);
    mem_free(s);
}

int store_check_url(const char *url, struct buf *error)
{
    struct store_url parsed;
    int rc = store_url_parse(url, &parsed, error);

    if (rc == 0)
        store_url_fini(&parsed);
    return rc;
}

struct gw_store *stores_open(struct stores *all, const char *url)
{
    struct buf error = {0};
    struct gw_store *s = url && !all->is_stopped ? find(all, url) : NULL;

    if (s || !url || all->is_stopped)
        return s;
    s = mem_zalloc(sizeof *s);
    s->text = mem_strdup(url);
    int rc = store_url_parse(url, &s->url, &error);
    if (rc == 0 && s->url.kind == STORE_SQLITE)
        rc = start_sqlite(all, s);
    else if (rc == 0)
        s->redis = redis_open(all->host, &s->url);
    if (rc == 0)
        vec_push(&all->all, s);
    else {
        log_error("a store cannot be opened: %s",
                  error.len > 0 ? buf_cstr(&error) : gw_strerror(rc));
        free_store(s);
        s = NULL;
    }
    buf_fini(&error);
    return s;
}

void stores_stop(struct stores *all)
{
    all->is_stopped = true;
    for (size_t i = 0; i < all->all.len; i++) {
        struct gw_store *s = all->all.at[i];
        if (s->sqlite)
            sqlite_stop(s->sqlite);
        else
            redis_stop(s->redis);
    }
}

void stores_fini(struct stores *all)
{
    all->is_stopped = true;
    for (size_t i = 0; i < all->all.len; i++)
        free_store(all->all.at[i]);
    vec_fini(&all->all);
}

/* ---- calls ---- */

static int run(struct gw_store *s, struct store_op *op)
{
    if (!s)
        return -EINVAL;
    if (op->key.len + op->field.len + op->value.len > OP_BYTES_MAX)
        return GW_ETOOBIG;
    return s->sqlite ? sqlite_call(s->sqlite, op) : redis_ops_call(s->redis, &s->url, op);
}

int gw_store_incr(struct gw_store *s, struct gw_bytes key, struct gw_bytes field, int64_t by,
                  int64_t *value)
{
    struct store_op op = {.verb = STORE_INCR, .key = key, .field = field, .number = by};
    int rc = run(s, &op);

    if (rc == 0 && value)
        *value = op.result;
    return rc;
}

int gw_store_set(struct gw_store *s, struct gw_bytes key, struct gw_bytes field,
                 struct gw_bytes value)
{
    struct store_op op = {.verb = STORE_SET, .key = key, .field = field, .value = value};

    return run(s, &op);
}

char *gw_store_get(struct gw_store *s, struct gw_bytes key, struct gw_bytes field, size_t *len,
                   int *rc)
{
    struct store_op op = {.verb = STORE_GET, .key = key, .field = field};
    char *text = NULL;
    int done = run(s, &op);

    struct span rest = buf_span(&op.records), value;
    if (done == 0 && part_take(&rest, &value)) {
        text = mem_strndup(value.at, value.len);
        if (len)
            *len = value.len;
    }
    buf_fini(&op.records);
    if (rc)
        *rc = done;
    return text;
}

int64_t gw_store_count(struct gw_store *s, struct gw_bytes key)
{
    struct store_op op = {.verb = STORE_COUNT, .key = key};
    int rc = run(s, &op);

    return rc < 0 ? rc : op.result;
}

int gw_store_append(struct gw_store *s, struct gw_bytes list, struct gw_bytes value, size_t keep_n)
{
    struct store_op op = {
        .verb = STORE_APPEND, .key = list, .value = value, .number = (int64_t)keep_n};

    return keep_n < 1 || keep_n > LIST_MAX ? -EINVAL : run(s, &op);
}

int gw_store_last(struct gw_store *s, struct gw_bytes list, size_t n, const struct gw_values **out)
{
    struct store_op op = {.verb = STORE_LAST, .key = list, .number = (int64_t)n};

    *out = NULL;
    int rc = n > LIST_MAX ? -EINVAL : run(s, &op);
    if (rc == 0)
        *out = reply_values(buf_span(&op.records));
    buf_fini(&op.records);
    return rc;
}

int gw_redis(struct gw_store *s, size_t argc, const struct gw_bytes *argv,
             const struct gw_reply **out)
{
    struct gw_reply *reply = NULL;

    *out = NULL;
    if (!s || !s->redis)
        return s ? -ENOTSUP : -EINVAL;
    int rc = redis_call(s->redis, s->url.timeout_ms, argc, argv, &reply);
    *out = reply;
    return rc;
}

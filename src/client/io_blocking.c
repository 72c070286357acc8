/* The io table of an outside program: sockets kept open between calls, one deadline per call. */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <gw/gateway.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/part.h"
#include "client/io.h"
#include "client/line_pool.h"
#include "client/registries.h"
#include "net/peer_tls.h"

enum { TIMEOUT_MS = 5000, ADDRESSES_MS = 1000, PEM_MAX_BYTES = 1 << 20 };

struct outside {
    struct gw gw;
    char *secret; /* "" for none */
    uint64_t timeout_ms;
    uint64_t addresses_ms;
    struct registries registries;
    struct line_pool pool;
    struct peer_tls tls;
    char *tls_name;

    unsigned depth;       /* of calls within one another */
    uint64_t deadline_ms; /* of the outermost */
    bool has_list;        /* the list was looked up in this call: it does not change under it */
};

static struct outside *outside_of(struct gw *gw)
{
    return CONTAINER_OF(gw, struct outside, gw);
}

static void begin(struct gw *gw)
{
    struct outside *o = outside_of(gw);

    if (o->depth++ > 0)
        return;
    o->deadline_ms = clock_mono_ms() + o->timeout_ms;
    o->has_list = false;
}

static void end(struct gw *gw)
{
    outside_of(gw)->depth--;
}

/* Half of the time that is left: a step before the last one must not use up the call, or whoever is
 * slow in it would cost the share of all others. */
static uint64_t half_way_ms(const struct outside *o)
{
    uint64_t now = clock_mono_ms();

    return now < o->deadline_ms ? now + (o->deadline_ms - now) / 2 : o->deadline_ms;
}

static int gateways(struct gw *gw, const struct addr_book **out)
{
    struct outside *o = outside_of(gw);
    struct registries *r = &o->registries;

    if (!o->has_list) {
        int rc = registries_refresh(r, o->secret, half_way_ms(o), o->addresses_ms);
        if (rc < 0)
            return rc;
        if (rc > 0)
            line_pool_keep(&o->pool, &r->book);
        o->has_list = true;
    }
    *out = &r->book;
    return r->book.len > 0 ? 0 : GW_ENOGATEWAY;
}

/* The address comes out of a client id, which may come from anybody: only gateways that a registry
 * names get a connection, and with it the secret. */
static int put_send(struct gw *gw, struct gateway_at to, const struct wire_packet *p)
{
    struct outside *o = outside_of(gw);
    const struct addr_book *book = NULL;
    int rc = gateways(gw, &book);

    if (rc < 0)
        return rc;
    if (!addr_book_has(book, to))
        return GW_ENOGATEWAY;
    return line_pool_put(&o->pool, to, o->secret, p, LINE_NO_ANSWER);
}

static int settle(struct gw *gw)
{
    struct outside *o = outside_of(gw);
    size_t sent_n = 0;
    size_t failed_n = 0;
    int first = 0;

    for (size_t i = 0; i < o->pool.lines.len; i++) {
        struct line *l = o->pool.lines.at[i];
        if (l->is_busy)
            sent_n++;
        else
            l->rc = 0; /* failed at once, and put_send() told */
    }
    line_pool_run(&o->pool, o->deadline_ms, o->timeout_ms);
    for (size_t i = 0; i < o->pool.lines.len; i++) {
        struct line *l = o->pool.lines.at[i];
        if (l->rc < 0 && failed_n++ == 0)
            first = l->rc;
        l->rc = 0;
    }
    return failed_n == 0 ? 0 : failed_n < sent_n ? GW_EPARTIAL : first;
}

static void ask(struct gw *gw, const struct wire_packet *p, struct fanout *f)
{
    struct outside *o = outside_of(gw);

    for (size_t i = 0; i < f->n; i++) {
        struct fanout_target *t = &f->targets[i];
        if (t->rc == 0 && !t->is_silent)
            t->rc = line_pool_put(&o->pool, t->at, o->secret, p, LINE_REPLY);
    }
    line_pool_run(&o->pool, o->deadline_ms, o->timeout_ms);
    for (size_t i = 0; i < f->n; i++) {
        struct fanout_target *t = &f->targets[i];
        struct line *l = line_pool_get(&o->pool, t->at);
        if (t->rc == 0)
            t->rc = l->rc;
        if (t->rc == 0 && !t->is_silent)
            buf_put_span(&t->answer, buf_span(&l->in));
        buf_fini(&l->in);
        l->rc = 0;
    }
}

static void agree(struct gw *gw, const struct addr_book *book)
{
    struct outside *o = outside_of(gw);

    line_pool_offer(&o->pool, book, o->secret, half_way_ms(o), o->timeout_ms);
}

static bool is_ours(struct gw *gw, struct gateway_at at)
{
    return line_pool_get(&outside_of(gw)->pool, at)->is_ours;
}

static int sleep_here(struct gw *gw, uint64_t ms)
{
    struct timespec left = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};

    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
    return 0;
}

static PRINTF_LIKE(3, 0) void log_here(struct gw *gw, bool is_error, const char *fmt, va_list args)
{
    struct buf text = {0};

    buf_vprintf(&text, fmt, args);
    log_write(is_error ? LOG_ERROR : LOG_INFO, "%s", buf_cstr(&text));
    buf_fini(&text);
}

static const struct gw_io blocking_io = {
    .begin = begin,
    .end = end,
    .gateways = gateways,
    .send = put_send,
    .settle = settle,
    .ask = ask,
    .agree = agree,
    .is_ours = is_ours,
    .sleep = sleep_here,
    .log = log_here,
};

/* Takes the options of a program that was built with this header or an older one. */
static bool take_options(struct gw_options *to, const struct gw_options *from)
{
    static const uint32_t first_size = offsetof(struct gw_options, tls_ca);

    if (from && from->size != first_size && from->size != sizeof *to)
        return false;
    if (from)
        memcpy(to, from, from->size);
    if (to->timeout_ms == 0)
        to->timeout_ms = TIMEOUT_MS;
    if (to->addresses_ms == 0)
        to->addresses_ms = ADDRESSES_MS;
    return true;
}

static int complain(const char *path, int rc)
{
    log_error("%s: %s", path ? path : "tls_ca, tls_cert and tls_key belong together",
              gw_strerror(rc));
    return rc;
}

static int use_files(struct outside *o, const char *const paths[3], struct buf *content)
{
    struct peer_tls_files f;
    struct tls_complaint complaint;

    for (size_t i = 0; i < 3; i++) {
        int rc = paths[i] ? part_put_file(content, paths[i], PEM_MAX_BYTES) : -EINVAL;
        if (rc < 0)
            return complain(paths[i], rc);
    }
    struct span rest = buf_span(content);
    if (!part_take(&rest, &f.ca) || !part_take(&rest, &f.cert) || !part_take(&rest, &f.key))
        return -EINVAL;
    int rc = peer_tls_use(&o->tls, PEER_TLS_REQUIRED, o->tls_name, &f, &complaint);
    if (rc < 0)
        log_error("%s: %s",
                  complaint.part == TLS_PART_KEY    ? paths[2]
                  : complaint.part == TLS_PART_CERT ? paths[1]
                                                    : paths[0],
                  complaint.text);
    return rc;
}

static int use_tls(struct outside *o, const struct gw_options *options)
{
    const char *const paths[] = {options->tls_ca, options->tls_cert, options->tls_key};
    struct buf content = {0};

    if (!options->tls_ca && !options->tls_cert && !options->tls_key)
        return options->tls_name ? complain(NULL, -EINVAL) : 0;
    o->tls_name = options->tls_name ? mem_strdup(options->tls_name) : NULL;
    int rc = use_files(o, paths, &content);
    if (content.at)
        explicit_bzero(content.at, content.len);
    buf_fini(&content);
    o->registries.tls = o->pool.tls = &o->tls;
    return rc;
}

struct gw *gw_open_with(const char *registry, const char *secret, const struct gw_options *options)
{
    struct outside *o = mem_zalloc(sizeof *o);
    struct gw_options how = {0};
    int rc = -EINVAL;

    o->gw.io = &blocking_io;
    o->secret = mem_strdup(secret ? secret : "");
    if (take_options(&how, options) && registry && registries_add(&o->registries, registry))
        rc = use_tls(o, &how);
    o->timeout_ms = how.timeout_ms;
    o->addresses_ms = how.addresses_ms;
    if (rc == 0)
        return &o->gw;
    gw_close(&o->gw);
    errno = -rc;
    return NULL;
}

struct gw *gw_open(const char *registry, const char *secret)
{
    return gw_open_with(registry, secret, NULL);
}

void gw_close(struct gw *gw)
{
    if (!gw || gw->io != &blocking_io)
        return;
    struct outside *o = outside_of(gw);
    registries_fini(&o->registries);
    line_pool_fini(&o->pool);
    peer_tls_close(&o->tls);
    mem_free(o->tls_name);
    buf_fini(&gw->ext);
    explicit_bzero(o->secret, strlen(o->secret));
    mem_free(o->secret);
    mem_free(o);
}

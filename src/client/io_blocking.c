/* The io table of an outside program: sockets kept open between calls, one deadline per call. */
#include <errno.h>
#include <time.h>

#include <gw/gateway.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/vec.h"
#include "client/command.h"
#include "client/io.h"
#include "client/line.h"
#include "client/lookup.h"

enum { TIMEOUT_MS = 5000, ADDRESSES_MS = 1000 };

struct outside {
    struct gw gw;
    struct vec registries; /* char * */
    char *secret;          /* "" for none */
    uint64_t timeout_ms;
    uint64_t addresses_ms;
    struct addr_book book;
    uint64_t book_since_ms; /* 0: there is none */
    struct vec lines;       /* struct line *, one per gateway that was talked to */
};

static struct outside *outside_of(struct gw *gw)
{
    return CONTAINER_OF(gw, struct outside, gw);
}

/* The registries one after the other until one answers. The list is kept when none does: what was
 * right a second ago mostly still is, and a dead gateway shows itself. */
static int refresh(struct outside *o)
{
    uint64_t deadline_ms = clock_mono_ms() + o->timeout_ms;
    int rc = GW_ENOREGISTRY;

    for (size_t i = 0; i < o->registries.len; i++) {
        rc = lookup_gateways(o->registries.at[i], o->secret, deadline_ms, &o->book);
        if (rc == 0)
            break;
    }
    if (rc < 0 && o->book_since_ms == 0)
        return rc == GW_EAUTH ? rc : GW_ENOREGISTRY;
    o->book_since_ms = clock_mono_ms();
    return 0;
}

static int gateways(struct gw *gw, const struct addr_book **out)
{
    struct outside *o = outside_of(gw);

    if (o->book_since_ms == 0 || clock_mono_ms() - o->book_since_ms >= o->addresses_ms) {
        int rc = refresh(o);
        if (rc < 0)
            return rc;
    }
    *out = &o->book;
    return o->book.len > 0 ? 0 : GW_ENOGATEWAY;
}

static struct line *line_to(struct outside *o, struct gateway_at at)
{
    for (size_t i = 0; i < o->lines.len; i++) {
        struct line *l = o->lines.at[i];
        if (l->to.port == at.port && addr_ip4(&l->to) == at.ip)
            return l;
    }
    struct addr to = gateway_at_addr(at);
    struct line *l = line_new(&to);
    vec_push(&o->lines, l);
    return l;
}

/* The secret goes before every command, on a connection in use too, as the original does. Bits of
 * our own are left out: nothing was agreed with that gateway. */
static struct line *put_command(struct outside *o, struct gateway_at at,
                                const struct wire_packet *p, enum line_answer answer)
{
    struct wire_packet plain = *p;
    struct line *l = line_to(o, at);

    plain.flag = (uint8_t)(p->flag & ~WIRE_BINARY);
    line_begin(l, answer);
    if (!l->is_busy)
        return l;
    if (o->secret[0] != '\0')
        command_put_secret(&l->out, o->secret);
    wire_put(&l->out, &plain);
    return l;
}

static void run(struct outside *o)
{
    lines_run((struct line *const *)(void *)o->lines.at, o->lines.len,
              clock_mono_ms() + o->timeout_ms);
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
    return put_command(o, to, p, LINE_NO_ANSWER)->rc;
}

static int settle(struct gw *gw)
{
    struct outside *o = outside_of(gw);
    size_t sent_n = 0;
    size_t failed_n = 0;
    int first = 0;

    for (size_t i = 0; i < o->lines.len; i++) {
        struct line *l = o->lines.at[i];
        if (l->is_busy)
            sent_n++;
        else
            l->rc = 0; /* failed at once, and put_send() told */
    }
    run(o);
    for (size_t i = 0; i < o->lines.len; i++) {
        struct line *l = o->lines.at[i];
        if (l->rc < 0 && failed_n++ == 0)
            first = l->rc;
        l->rc = 0;
    }
    return failed_n == 0 ? 0 : failed_n < sent_n ? GW_EPARTIAL : first;
}

static void ask(struct gw *gw, const struct wire_packet *p, struct fanout *f)
{
    struct outside *o = outside_of(gw);

    for (size_t i = 0; i < f->n; i++)
        (void)put_command(o, f->targets[i].at, p, LINE_REPLY);
    run(o);
    for (size_t i = 0; i < f->n; i++) {
        struct line *l = line_to(o, f->targets[i].at);
        f->targets[i].rc = l->rc;
        if (l->rc == 0)
            buf_put_span(&f->targets[i].answer, buf_span(&l->in));
        buf_fini(&l->in);
        l->rc = 0;
    }
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
    .gateways = gateways,
    .send = put_send,
    .settle = settle,
    .ask = ask,
    .sleep = sleep_here,
    .log = log_here,
};

/* "host:port" with a port from 1 to 65535. */
static bool is_usable(struct span address)
{
    uint64_t port;
    ptrdiff_t colon = -1;

    for (size_t i = 0; i < address.len; i++)
        if (address.at[i] == ':')
            colon = (ptrdiff_t)i;
    return colon > 0 && span_to_u64(span_skip(address, (size_t)colon + 1), &port) && port >= 1 &&
           port <= UINT16_MAX;
}

static bool add_registries(struct outside *o, const char *list)
{
    struct span rest = span_str(list);

    while (rest.len > 0) {
        struct span address = span_trim(span_cut(&rest, ','));
        if (!is_usable(address))
            return false;
        vec_push(&o->registries, mem_strndup(address.at, address.len));
    }
    return o->registries.len > 0;
}

struct gw *gw_open_with(const char *registry, const char *secret, const struct gw_options *options)
{
    struct outside *o = mem_zalloc(sizeof *o);

    o->gw.io = &blocking_io;
    o->secret = mem_strdup(secret ? secret : "");
    o->timeout_ms = options && options->timeout_ms ? options->timeout_ms : TIMEOUT_MS;
    o->addresses_ms = options && options->addresses_ms ? options->addresses_ms : ADDRESSES_MS;
    bool is_known_size = !options || options->size == sizeof *options;
    if (is_known_size && registry && add_registries(o, registry))
        return &o->gw;
    gw_close(&o->gw);
    errno = EINVAL;
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
    for (size_t i = 0; i < o->registries.len; i++)
        mem_free(o->registries.at[i]);
    for (size_t i = 0; i < o->lines.len; i++)
        line_free(o->lines.at[i]);
    vec_fini(&o->registries);
    vec_fini(&o->lines);
    addr_book_fini(&o->book);
    buf_fini(&gw->ext);
    mem_free(o->secret);
    mem_free(o);
}

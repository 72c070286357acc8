/* The life of a role process: from fork() to exit, with its line to the master. */
#include "proc/child.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gw/err.h>

#include "base/crypto.h"
#include "base/log.h"
#include "net/sig.h"
#include "net/sock.h"
#include "proc/exit_code.h"
#include "proc/fleet.h"
#include "proc/process.h"
#include "proc/row.h"
#include "proc/sandbox.h"
#include "proc/title.h"

enum {
    LISTING_MAX_BYTES =
        16 * 1024 * 1024, /* of one list of connections; what is past it is not told */
};

struct child {
    struct role_env env;
    void *self; /* the role's own */
    struct group *group;
    struct conn *line;
    struct sig *sig;
    struct task end;
    struct buf rows;
    struct buf credentials; /* what came of them since the last "reopen" */
    struct buf metrics;     /* what came of them since the last "metrics_end" */
    uint64_t listing;
    enum sandbox_mode sandbox;
    bool is_leaving;
};

static const struct conn_conf line_conf = {
    .in_max_bytes = ROW_LINES_MAX, .out_max_bytes = LISTING_MAX_BYTES, .close_timeout_ms = 1000};

/* Seconds until a process whose master died is ended; read by the signal handler. */
static volatile sig_atomic_t orphan_limit_s;

/* The alarm's default action ends even a process that never returns to its loop. */
static void on_orphaned(int signal_number)
{
    alarm((unsigned)orphan_limit_s);
}

static void send_line(struct child *c, struct span text)
{
    if (!c->line)
        return;
    int rc = conn_send(c->line, text);
    if (rc < 0)
        log_warn("cannot answer the master: %s", gw_strerror(rc));
}

static void on_env_ready(struct role_env *env)
{
    send_line(CONTAINER_OF(env, struct child, env), span_str("ready\n"));
}

static void on_env_ask_metrics(struct role_env *env)
{
    send_line(CONTAINER_OF(env, struct child, env), span_str("metrics\n"));
}

static void end_loop(struct task *t)
{
    struct child *c = CONTAINER_OF(t, struct child, end);
    loop_stop(c->env.loop);
}

static void on_env_finished(struct role_env *env)
{
    struct child *c = CONTAINER_OF(env, struct child, env);
    loop_at_end(env->loop, &c->end);
}

static void drain(struct child *c)
{
    if (c->is_leaving)
        return;
    c->is_leaving = true;
    c->env.role->drain(c->self);
    send_line(c, span_str("draining\n"));
}

static void stop(struct child *c)
{
    c->is_leaving = true;
    c->env.role->stop(c->self);
}

static void retreat(struct child *c, struct span rest)
{
    uint64_t per_second, seconds;
    if (c->env.role->retreat && span_to_u64(span_cut(&rest, '\t'), &per_second) &&
        span_to_u64(rest, &seconds))
        c->env.role->retreat(c->self, per_second, seconds);
}

static void answer_status(struct child *c)
{
    struct role_status status = {0};
    c->env.role->status(c->self, &status);
    struct conn_counts counts = conn_pool_counts(c->env.conns);
    status.read_bytes = counts.read_bytes;
    status.written_bytes = counts.written_bytes;
    buf_clear(&c->rows);
    buf_puts(&c->rows, "status\t");
    row_put_status(&c->rows, &status);
    buf_putc(&c->rows, '\n');
    send_line(c, buf_span(&c->rows));
    buf_fini(&c->rows);
}

static bool put_row(void *ctx, const struct role_connection *row)
{
    struct child *c = ctx;
    buf_printf(&c->rows, "row\t%" PRIu64 "\t", c->listing);
    row_put_connection(&c->rows, row);
    buf_putc(&c->rows, '\n');
    return c->rows.len < LISTING_MAX_BYTES;
}

static void answer_connections(struct child *c, struct span serial)
{
    if (!span_to_u64(serial, &c->listing))
        return;
    if (c->env.role->connections)
        c->env.role->connections(c->self, put_row, c);
    buf_printf(&c->rows, "end\t%" PRIu64 "\n", c->listing);
    send_line(c, buf_span(&c->rows));
    buf_fini(&c->rows);
}

static void add_credentials(struct child *c, struct span part)
{
    uint8_t *to = buf_reserve(&c->credentials, part.len);
    ptrdiff_t n = crypto_unbase64(part, to, part.len);
    if (n > 0)
        buf_commit(&c->credentials, (size_t)n);
}

static void forget_credentials(struct child *c)
{
    if (c->credentials.at)
        explicit_bzero(c->credentials.at, c->credentials.cap);
    buf_fini(&c->credentials);
    c->env.credentials = span_of(NULL, 0);
}

static void reopen(struct child *c)
{
    int rc = log_reopen();
    if (rc < 0)
        log_warn("cannot open the log file again: %s", gw_strerror(rc));
    c->env.credentials = buf_span(&c->credentials);
    if (c->env.role->reopen)
        c->env.role->reopen(c->self);
    forget_credentials(c);
}

static void add_metrics(struct child *c, struct span line)
{
    buf_put_span(&c->metrics, line);
    buf_putc(&c->metrics, '\n');
}

static void end_metrics(struct child *c)
{
    if (c->env.role->metrics)
        c->env.role->metrics(c->self, buf_span(&c->metrics));
    buf_fini(&c->metrics);
}

static bool on_line(void *ctx, struct span line)
{
    struct child *c = ctx;
    struct span rest = line;
    struct span verb = span_cut(&rest, '\t');
    if (span_is(verb, "status"))
        answer_status(c);
    else if (span_is(verb, "connections"))
        answer_connections(c, rest);
    else if (span_is(verb, "drain"))
        drain(c);
    else if (span_is(verb, "retreat"))
        retreat(c, rest);
    else if (span_is(verb, "stop"))
        stop(c);
    else if (span_is(verb, "metrics"))
        add_metrics(c, rest);
    else if (span_is(verb, "metrics_end"))
        end_metrics(c);
    else if (span_is(verb, "credentials"))
        add_credentials(c, rest);
    else if (span_is(verb, "reopen"))
        reopen(c);
    return true;
}

static ssize_t on_bytes(struct conn *conn, void *owner, uint8_t *at, size_t len)
{
    return row_lines(at, len, on_line, owner);
}

static void on_line_closed(struct conn *conn, void *owner, int why)
{
    struct child *c = owner;
    c->line = NULL;
    if (!c->is_leaving)
        log_warn("the master is gone; this process finishes its work and ends");
    alarm((unsigned)orphan_limit_s);
    drain(c);
}

static const struct conn_events line_events = {.on_bytes = on_bytes, .on_close = on_line_closed};

/* kill PID by an operator: the master starts a successor. Ctrl+C reaches the whole terminal group,
 * but only the master acts on it. */
static void on_signal(void *owner, int signal_number)
{
    if (signal_number == SIGTERM)
        drain(owner);
}

/* The listening descriptors of other slots must not stay open here: a port would outlive its
 * process. Nor are the keys of other sections its business: workers run other people's code. */
static void close_others(struct fleet *f, const struct slot *mine)
{
    for (struct list *at = f->processes.next; at != &f->processes; at = at->next) {
        struct process *p = CONTAINER_OF(at, struct process, node);
        if (p->line)
            close(conn_fd(p->line));
        activity_free(p->activity);
    }
    for (size_t g = 0; g < f->groups_n; g++) {
        if (&f->groups[g] != mine->group)
            group_forget_credentials(&f->groups[g]);
        for (int i = 0; i < f->groups[g].slots_n; i++) {
            struct slot *s = &f->groups[g].slots[i];
            for (size_t k = 0; s != mine && k < s->listens_n; k++)
                close(s->fds[k]);
        }
    }
}

/* In this order: changing the user clears the death signal (prctl(2)). */
static int settle(const struct fleet *f, const struct group *g)
{
    int rc = privileges_drop(&g->privileges);
    if (rc < 0) {
        log_error("cannot become user %s: %s", g->privileges.user, gw_strerror(rc));
        return rc;
    }
    const struct sigaction orphaned = {.sa_handler = on_orphaned, .sa_flags = SA_RESTART};
    orphan_limit_s = (sig_atomic_t)(f->settings->graceful_timeout_ms / 1000 + 1);
    sigaction(SIGUSR2, &orphaned, NULL);
    prctl(PR_SET_PDEATHSIG, SIGUSR2, 0, 0, 0);
    setvbuf(stdout, NULL, _IOLBF, 0); /* what modules print shows at once, in a file too */
    return 0;
}

static int open_loop(struct child *c, int line_fd)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGTSTP, 0};
    const struct addr peer = {.family = AF_UNIX};
    c->env.loop = loop_new();
    c->env.conns = c->env.loop ? conn_pool_new(c->env.loop) : NULL;
    c->sig = c->env.conns ? sig_start(c->env.loop, signals, on_signal, c) : NULL;
    if (!c->sig) {
        log_error("cannot make the event loop: %s", gw_strerror(-errno));
        return -errno;
    }
    c->line =
        conn_new(c->env.conns, line_fd, &peer, &plain_transport, NULL, &line_conf, &line_events, c);
    return c->line ? 0 : -ENOMEM;
}

static int serve(struct child *c)
{
    int rc = c->env.role->start(&c->env, &c->self);
    c->env.credentials = span_of(NULL, 0);
    group_forget_credentials(c->group);
    if (rc < 0)
        return EXIT_CODE_FAILED; /* the role has logged why */
    if (sandbox_enter(c->sandbox, c->env.role->sandbox) < 0)
        return EXIT_CODE_FAILED;
    rc = loop_run(c->env.loop);
    if (rc < 0)
        log_error("the event loop failed: %s", gw_strerror(rc));
    return rc < 0 ? EXIT_CODE_FAILED : EXIT_CODE_OK;
}

void child_run(struct fleet *f, struct slot *s, const char *artifact, int line_fd,
               struct activity *activity)
{
    struct group *g = s->group;
    static struct child child; /* static: what the role keeps stays reachable until exit */
    char who[192];
    snprintf(who, sizeof who, "%s #%d", g->title, s->pos);
    log_set_who(who);
    title_set("gatehouse: %s (%s)", who, f->conf_name);
    close_others(f, s);
    child = (struct child){
        .env = {.conf = f->conf,
                .section = g->section,
                .role = g->role,
                .slot = s->pos,
                .generation = s->generation,
                .listen_fds = s->fds,
                .listen_fds_n = s->listens_n,
                .credentials = buf_span(&g->credentials),
                .artifact = artifact,
                .activity = activity,
                .notices = f->notices,
                .notices_pos = s->serial,
                .run_dir = f->settings->run_dir,
                .ready = on_env_ready,
                .ask_metrics = on_env_ask_metrics,
                .finished = on_env_finished},
        .group = g,
        .sandbox = (enum sandbox_mode)f->settings->sandbox,
        .end = {.run = end_loop},
    };
    if (settle(f, g) < 0 || open_loop(&child, line_fd) < 0)
        exit(EXIT_CODE_FAILED);
    exit(serve(&child));
}

/* One forked role process, as the master sees it: its pid, its control line, its last answers. */
#include "proc/process.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gw/err.h>

#include "base/crypto.h"
#include "base/log.h"
#include "base/mem.h"
#include "proc/child.h"
#include "proc/fleet.h"
#include "proc/row.h"

/* A process that sends more than this without reading belongs to no list that anybody shows. What
 * goes out are short commands, but for metrics: 3 KB of text for each process of the server. */
enum { LINE_OUT_MAX_BYTES = 4 * 1024 * 1024 };
static const struct conn_conf line_conf = {
    .in_max_bytes = ROW_LINES_MAX, .out_max_bytes = LINE_OUT_MAX_BYTES, .close_timeout_ms = 1000};

enum { SAMPLE_MIN_MS = 900 };

const char *process_who(const struct process *p, char out[192])
{
    snprintf(out, 192, "%s #%d", p->slot->group->title, p->slot->pos);
    return out;
}

static void take_status(struct process *p, struct span row)
{
    struct role_status status;
    if (!row_get_status(row, &status))
        return;
    uint64_t now_ms = loop_now_ms(p->slot->fleet->loop);
    uint64_t past_ms = now_ms - p->sample_ms;
    if (past_ms >= SAMPLE_MIN_MS) {
        p->qps = (status.requests_n - p->sample_requests_n) * 1000 / past_ms;
        p->sample_ms = now_ms;
        p->sample_requests_n = status.requests_n;
    }
    p->status = status;
    p->has_status = true;
    p->is_asked = false;
}

static void on_listing(struct process *p, struct span serial_text, struct span row, bool is_end)
{
    uint64_t serial;
    if (!span_to_u64(serial_text, &serial) || serial != p->listing)
        return;
    if (is_end)
        p->listing = 0;
    else
        p->slot->fleet->on_connection_row(p->slot->fleet->owner, p, serial, row);
}

/* One question at a time: a process cannot keep its master busy with more. */
static void on_metrics_asked(struct process *p)
{
    if (p->is_asking)
        return;
    p->is_asking = true;
    p->slot->fleet->on_metrics_asked(p->slot->fleet->owner, p);
}

static bool on_line(void *ctx, struct span line)
{
    struct process *p = ctx;
    struct span rest = line;
    struct span verb = span_cut(&rest, '\t');
    if (span_is(verb, "row")) {
        struct span serial = span_cut(&rest, '\t');
        on_listing(p, serial, rest, false);
        return true;
    }
    if (span_is(verb, "status"))
        take_status(p, rest);
    else if (span_is(verb, "end"))
        on_listing(p, rest, span_of(NULL, 0), true);
    else if (span_is(verb, "metrics"))
        on_metrics_asked(p);
    else if (span_is(verb, "ready"))
        p->is_ready = true;
    else if (span_is(verb, "draining"))
        p->is_draining = true;
    fleet_touch(p->slot->fleet);
    return true;
}

static ssize_t on_bytes(struct conn *c, void *owner, uint8_t *at, size_t len)
{
    return row_lines(at, len, on_line, owner);
}

static void on_line_closed(struct conn *c, void *owner, int why)
{
    struct process *p = owner;
    if (!p)
        return;
    p->line = NULL;
    p->listing = 0;
    fleet_touch(p->slot->fleet);
}

static const struct conn_events line_events = {.on_bytes = on_bytes, .on_close = on_line_closed};

static void tell(struct process *p, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void tell(struct process *p, const char *fmt, ...)
{
    char text[64];
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (!p->line)
        return;
    /* GW_EFULL: a process that has not read so much is stuck; its deadline ends it. */
    int rc = conn_send(p->line, span_of(text, (size_t)len));
    (void)rc;
}

static void on_deadline(struct timer *t)
{
    struct process *p = CONTAINER_OF(t, struct process, deadline);
    char who[192];
    if (p->is_last_deadline) {
        log_warn("%s (pid %d) did not end in time and is killed", process_who(p, who), (int)p->pid);
        process_kill(p);
        return;
    }
    log_warn("%s (pid %d) did not finish its work in time and is stopped", process_who(p, who),
             (int)p->pid);
    process_stop(p, p->slot->fleet->settings->stop_timeout_ms);
}

static struct process *adopt(struct fleet *f, struct slot *s, pid_t pid, int fd,
                             struct activity *activity)
{
    struct process *p = mem_zalloc(sizeof *p);
    const struct addr peer = {.family = AF_UNIX};
    p->slot = s;
    p->pid = pid;
    p->activity = activity;
    p->generation = s->generation;
    p->born_ms = loop_now_ms(f->loop);
    p->sample_ms = p->born_ms;
    p->deadline.fire = on_deadline;
    p->line = conn_new(f->conns, fd, &peer, &plain_transport, NULL, &line_conf, &line_events, p);
    list_append(&f->processes, &p->node);
    return p;
}

struct process *process_new(struct fleet *f, struct slot *s, const char *artifact)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0) {
        log_error("%s #%d: cannot make its control line: %s", s->group->title, s->pos,
                  gw_strerror(-errno));
        return NULL;
    }
    struct activity *activity = activity_new();
    s->generation++;
    pid_t pid = fleet_fork(f);
    if (pid == 0) {
        close(pair[0]);
        child_run(f, s, artifact, pair[1], activity);
    }
    int rc = -errno;
    close(pair[1]);
    if (pid > 0)
        return adopt(f, s, pid, pair[0], activity);
    activity_free(activity);
    close(pair[0]);
    log_error("%s #%d: cannot fork: %s", s->group->title, s->pos, gw_strerror(rc));
    errno = -rc;
    return NULL;
}

void process_free(struct process *p)
{
    if (!p)
        return;
    timer_stop(p->slot->fleet->loop, &p->deadline);
    if (p->line) {
        conn_set_owner(p->line, NULL);
        conn_destroy(p->line, 0);
    }
    activity_free(p->activity);
    list_remove(&p->node);
    mem_free(p);
}

void process_ask_status(struct process *p)
{
    if (p->is_asked || !p->line)
        return;
    p->is_asked = true;
    tell(p, "status\n");
}

void process_ask_connections(struct process *p, uint64_t serial)
{
    if (!p->line)
        return;
    p->listing = serial;
    tell(p, "connections\t%" PRIu64 "\n", serial);
}

void process_tell_metrics(struct process *p, struct span text)
{
    struct buf lines = {0};
    p->is_asking = false;
    while (text.len > 0) {
        buf_puts(&lines, "metrics\t");
        buf_put_span(&lines, span_cut(&text, '\n'));
        buf_putc(&lines, '\n');
    }
    buf_puts(&lines, "metrics_end\n");
    int rc = p->line ? conn_send(p->line, buf_span(&lines)) : 0;
    if (rc < 0)
        log_warn("%s cannot be told the metrics: %s", p->slot->group->title, gw_strerror(rc));
    buf_fini(&lines);
}

/* As many lines of base64 as it takes, then the word to use them. */
void process_reopen(struct process *p, struct span credentials)
{
    enum { PART_BYTES = 3 * 1000 };
    char text[PART_BYTES / 3 * 4 + 1];
    struct buf lines = {0};
    _Static_assert(sizeof text + sizeof "credentials\t" < ROW_LINE_MAX, "a part fits a line");
    while (credentials.len > 0) {
        size_t n = credentials.len < PART_BYTES ? credentials.len : PART_BYTES;
        crypto_base64(span_of(credentials.at, n), text, sizeof text);
        buf_printf(&lines, "credentials\t%s\n", text);
        credentials = span_skip(credentials, n);
    }
    buf_puts(&lines, "reopen\n");
    /* All or nothing; GW_EFULL as in tell(). */
    int rc = p->line ? conn_send(p->line, buf_span(&lines)) : 0;
    if (rc < 0)
        log_warn("%s cannot be told to take new certificates: %s", p->slot->group->title,
                 gw_strerror(rc));
    explicit_bzero(text, sizeof text);
    explicit_bzero(lines.at, lines.cap);
    buf_fini(&lines);
}

void process_drain(struct process *p, uint64_t limit_ms)
{
    if (p->is_leaving)
        return;
    p->is_leaving = true;
    tell(p, "drain\n");
    timer_start(p->slot->fleet->loop, &p->deadline, limit_ms);
}

void process_retreat(struct process *p, uint64_t per_second, uint64_t seconds)
{
    tell(p, "retreat\t%" PRIu64 "\t%" PRIu64 "\n", per_second, seconds);
}

void process_stop(struct process *p, uint64_t limit_ms)
{
    if (p->is_last_deadline)
        return;
    p->is_leaving = p->is_last_deadline = true;
    tell(p, "stop\n");
    timer_start(p->slot->fleet->loop, &p->deadline, limit_ms);
    fleet_touch(p->slot->fleet);
}

void process_kill(struct process *p)
{
    p->is_leaving = p->is_killed = true;
    kill(p->pid, SIGKILL);
}

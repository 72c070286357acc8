/* The control socket, the master's side: one command line in, a text answer out. */
#include "proc/ctl.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <gw/err.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "proc/exit_code.h"

struct ctl {
    struct loop *loop;
    struct conn_pool *conns;
    struct listener *listener;
    struct list sessions;
    size_t sessions_n;
    ctl_command_fn *on_command;
    void *owner;
};

struct ctl_session {
    struct list node;
    struct ctl *ctl;
    struct conn *conn;     /* NULL once the caller is gone */
    struct timer deadline; /* for the command line */
    bool is_running;       /* a command has taken it */
};

static const struct conn_conf session_conf = {.in_max_bytes = CTL_LINE_MAX,
                                              .out_max_bytes = 64UL * 1024 * 1024,
                                              .close_timeout_ms = 5000,
                                              .handshake_timeout_ms = CTL_LINE_MS};

static void session_free(struct ctl_session *s)
{
    timer_stop(s->ctl->loop, &s->deadline);
    list_remove(&s->node);
    s->ctl->sessions_n--;
    mem_free(s);
}

static bool is_printable(const char *line)
{
    for (; *line; line++)
        if (!isprint((unsigned char)*line))
            return false;
    return true;
}

static void run(struct ctl_session *s, const uint8_t *at, size_t len)
{
    char line[CTL_LINE_MAX + 1];
    memcpy(line, at, len);
    line[len] = '\0';
    s->is_running = true;
    timer_stop(s->ctl->loop, &s->deadline);
    if (strlen(line) != len || !is_printable(line)) {
        ctl_say(s, "not a command\n");
        ctl_end(s, EXIT_CODE_USAGE);
        return;
    }
    s->ctl->on_command(s->ctl->owner, s, line);
}

/* What comes behind the line is thrown away: one command per connection. */
static ssize_t on_bytes(struct conn *c, void *owner, uint8_t *at, size_t len)
{
    struct ctl_session *s = owner;
    if (!s || s->is_running)
        return (ssize_t)len;
    ptrdiff_t end = span_find(span_of(at, len), '\n');
    if (end > CTL_LINE_MAX || (end < 0 && len > CTL_LINE_MAX))
        return GW_ETOOBIG;
    if (end < 0)
        return 0;
    run(s, at, (size_t)end);
    return (ssize_t)len;
}

static void on_close(struct conn *c, void *owner, int why)
{
    struct ctl_session *s = owner;
    if (!s)
        return;
    s->conn = NULL;
    if (!s->is_running)
        session_free(s);
}

static const struct conn_events session_events = {.on_bytes = on_bytes, .on_close = on_close};

static void on_deadline(struct timer *t)
{
    struct ctl_session *s = CONTAINER_OF(t, struct ctl_session, deadline);
    if (s->conn)
        conn_destroy(s->conn, GW_ETIMEOUT);
}

static void on_accept(void *owner, int fd, const struct addr *peer)
{
    struct ctl *c = owner;
    if (c->sessions_n >= CTL_SESSIONS_MAX) {
        static struct log_rate rate;
        log_limited(&rate, LOG_WARN, "control socket: more than %d callers at once; one is refused",
                    CTL_SESSIONS_MAX);
        close(fd);
        return;
    }
    struct ctl_session *s = mem_zalloc(sizeof *s);
    s->ctl = c;
    s->deadline.fire = on_deadline;
    list_append(&c->sessions, &s->node);
    c->sessions_n++;
    s->conn =
        conn_new(c->conns, fd, peer, &plain_transport, NULL, &session_conf, &session_events, s);
    if (!s->conn) {
        static struct log_rate rate;
        log_limited(&rate, LOG_WARN, "control socket: a caller cannot be served: %s",
                    strerror(errno));
        session_free(s);
        return;
    }
    timer_start(c->loop, &s->deadline, CTL_LINE_MS);
}

struct ctl *ctl_start(struct loop *l, struct conn_pool *conns, int fd, ctl_command_fn *on_command,
                      void *owner)
{
    struct ctl *c = mem_zalloc(sizeof *c);
    *c = (struct ctl){.loop = l, .conns = conns, .on_command = on_command, .owner = owner};
    list_init(&c->sessions);
    c->listener = listener_start(l, fd, on_accept, c);
    if (c->listener)
        return c;
    mem_free(c);
    return NULL;
}

void ctl_stop_listening(struct ctl *c)
{
    if (!c || !c->listener)
        return;
    listener_stop(c->listener);
    c->listener = NULL;
}

size_t ctl_sessions_n(const struct ctl *c)
{
    return c ? c->sessions_n : 0;
}

void ctl_free(struct ctl *c)
{
    if (!c)
        return;
    ctl_stop_listening(c);
    while (!list_is_empty(&c->sessions)) {
        struct ctl_session *s = CONTAINER_OF(c->sessions.next, struct ctl_session, node);
        if (s->conn) {
            conn_set_owner(s->conn, NULL);
            conn_destroy(s->conn, 0);
        }
        session_free(s);
    }
    mem_free(c);
}

void ctl_abandon(struct ctl *c)
{
    if (!c)
        return;
    listener_abandon(c->listener);
    for (struct list *at = c->sessions.next; at != &c->sessions; at = at->next) {
        struct ctl_session *s = CONTAINER_OF(at, struct ctl_session, node);
        if (s->conn)
            close(conn_fd(s->conn));
    }
}

void ctl_send(struct ctl_session *s, struct span text)
{
    if (!s || !s->conn)
        return;
    if (conn_send(s->conn, text) < 0)
        conn_destroy(s->conn, GW_EFULL);
}

void ctl_say(struct ctl_session *s, const char *fmt, ...)
{
    if (!s)
        return;
    struct buf text = {0};
    va_list args;
    va_start(args, fmt);
    buf_vprintf(&text, fmt, args);
    va_end(args);
    ctl_send(s, buf_span(&text));
    buf_fini(&text);
}

void ctl_end(struct ctl_session *s, int exit_code)
{
    if (!s)
        return;
    ctl_say(s, "exit %d\n", exit_code);
    if (!s->conn) {
        session_free(s);
        return;
    }
    s->is_running = false; /* its connection frees it, after the flush */
    conn_close(s->conn);
}

/* What a running master can be told, by a command on the control socket or by a signal. */
#include "proc/command.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "proc/exit_code.h"

static void do_status(struct commands *c, struct ctl_session *s)
{
    query_status(&c->queries, s, false);
}

static void do_status_json(struct commands *c, struct ctl_session *s)
{
    query_status(&c->queries, s, true);
}

static void do_connections(struct commands *c, struct ctl_session *s)
{
    query_connections(&c->queries, s);
}

static void do_stop(struct commands *c, struct ctl_session *s)
{
    commands_stop(c, s, false);
}

static void do_stop_graceful(struct commands *c, struct ctl_session *s)
{
    commands_stop(c, s, true);
}

static const struct {
    const char *name;
    void (*run)(struct commands *c, struct ctl_session *s);
    bool is_logged; /* questions come each second from a live status; they are not */
} known[] = {
    {"status", do_status, false},
    {"status json", do_status_json, false},
    {"connections", do_connections, false},
    {"reload", commands_reload, true},
    {"stop", do_stop, true},
    {"stop graceful", do_stop_graceful, true},
};

/* Commands with words behind them. */
static const struct {
    const char *name;
    void (*run)(struct farewell *f, struct ctl_session *s, const char *words);
} orders[] = {{"drain ", farewell_drain}, {"undrain ", farewell_undrain}};

static void on_command(void *owner, struct ctl_session *s, const char *line)
{
    struct commands *c = owner;
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (strcmp(known[i].name, line) != 0)
            continue;
        if (known[i].is_logged)
            log_info("command: %s", line);
        known[i].run(c, s);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        size_t len = strlen(orders[i].name);
        if (strncmp(orders[i].name, line, len) != 0)
            continue;
        log_info("command: %s", line);
        orders[i].run(&c->farewell, s, line + len);
        return;
    }
    ctl_say(s, "unknown command: %s\n", line);
    ctl_end(s, EXIT_CODE_USAGE);
}

int commands_init(struct commands *c, struct fleet *f, int ctl_fd, bool is_detached)
{
    *c = (struct commands){.stop = {.fleet = f}};
    queries_init(&c->queries, f, is_detached);
    reload_init(&c->reload, f);
    farewell_init(&c->farewell, f);
    c->ctl = ctl_start(f->loop, f->conns, ctl_fd, on_command, c);
    return c->ctl ? 0 : -errno;
}

void commands_step(struct commands *c)
{
    farewell_step(&c->farewell);
    reload_step(&c->reload);
    queries_step(&c->queries);
}

void commands_stop(struct commands *c, struct ctl_session *s, bool is_graceful)
{
    if (s)
        vec_push(&c->stop_callers, s);
    reload_fini(&c->reload);
    stop_begin(&c->stop, is_graceful);
}

void commands_reload(struct commands *c, struct ctl_session *s)
{
    if (c->stop.is_running) {
        ctl_say(s, "the server is stopping\n");
        ctl_end(s, EXIT_CODE_FAILED);
        return;
    }
    reload_ask(&c->reload, s);
}

void commands_answer(struct commands *c)
{
    queries_fini(&c->queries);
    farewell_fini(&c->farewell);
    while (c->stop_callers.len > 0) {
        struct ctl_session *s = vec_pop(&c->stop_callers);
        ctl_say(s, "stopped\n");
        ctl_end(s, EXIT_CODE_OK);
    }
    vec_fini(&c->stop_callers);
}

void commands_fini(struct commands *c)
{
    ctl_free(c->ctl);
    c->ctl = NULL;
}

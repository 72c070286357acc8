/* The master: starts the processes of a config, watches them, and obeys commands and signals. */
#include "proc/master.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gw/err.h>

#include "base/log.h"
#include "net/sig.h"
#include "proc/banner.h"
#include "proc/builder.h"
#include "proc/command.h"
#include "proc/ctl.h"
#include "proc/daemonize.h"
#include "proc/exit_code.h"
#include "proc/pidfile.h"
#include "proc/premises.h"
#include "proc/query.h"
#include "proc/reload.h"
#include "proc/sandbox.h"
#include "proc/startup.h"
#include "proc/stop.h"
#include "proc/title.h"

enum { FAREWELL_MS = 1000 }; /* for the last bytes to callers */

struct master {
    const struct master_setup *setup;
    const struct master_conf *settings;
    struct privileges privileges;
    struct fleet fleet;
    struct daemonize daemon;
    struct loop *loop;
    struct conn_pool *conns;
    struct sig *sig;
    struct premises premises;
    struct commands commands;
    struct startup startup;
    int exit_code;
};

static void on_change(void *owner)
{
    struct master *m = owner;
    startup_step(&m->startup);
    commands_step(&m->commands);
    if (stop_step(&m->commands.stop))
        loop_stop(m->loop);
}

/* The loop first: what is closed afterwards must not be unregistered from the epoll set, which is
 * still the master's. Into its pipe of signals nobody else may write, least of all business code.
 */
static void on_fork(void *owner)
{
    struct master *m = owner;
    if (m->loop)
        loop_abandon(m->loop);
    sig_abandon(m->sig);
    ctl_abandon(m->commands.ctl);
    builder_abandon(m->commands.reload.builder);
    if (m->premises.ctl_fd >= 0)
        close(m->premises.ctl_fd);
    if (m->premises.pid_fd >= 0)
        close(m->premises.pid_fd);
    if (m->daemon.report_fd >= 0)
        close(m->daemon.report_fd);
}

static void on_connection_row(void *owner, struct process *p, uint64_t serial, struct span line)
{
    struct master *m = owner;
    queries_row(&m->commands.queries, p, serial, line);
}

static void on_metrics_asked(void *owner, struct process *p)
{
    struct master *m = owner;
    query_metrics(&m->commands.queries, p);
}

static void on_signal(void *owner, int signal_number)
{
    struct master *m = owner;
    switch (signal_number) {
    case SIGCHLD:
        fleet_reap(&m->fleet);
        break;
    case SIGQUIT:
        commands_stop(&m->commands, NULL, true);
        break;
    case SIGHUP:
        if (!m->setup->is_detached)
            commands_stop(&m->commands, NULL, false);
        else
            commands_reload(&m->commands, NULL);
        break;
    case SIGUSR1:
    case SIGUSR2:
        commands_reload(&m->commands, NULL);
        break;
    default:
        commands_stop(&m->commands, NULL, false);
    }
}

static void on_started(void *owner, bool is_failed, struct span text)
{
    struct master *m = owner;
    struct buf report = {0};
    if (text.len > 0)
        log_warn("after the start:\n%.*s", (int)text.len, (const char *)text.at);
    if (is_failed) {
        m->exit_code = EXIT_CODE_FAILED;
        buf_put_span(&report, text);
        buf_puts(&report, "the start failed; nothing is left running\n");
        log_error("the start failed; the server stops");
    } else if (text.len > 0) {
        buf_put_span(&report, text);
        buf_puts(&report, "the server runs and goes on trying\n");
    }
    if (!is_failed && !m->setup->is_detached && !m->setup->is_quiet)
        printf("Started. Press Ctrl+C to stop.\n");
    fflush(stdout);
    if (!is_failed)
        daemonize_report(&m->daemon, buf_span(&report), EXIT_CODE_OK);
    buf_fini(&report);
    if (is_failed)
        commands_stop(&m->commands, NULL, false);
}

static void complain_user(const struct master *m, int rc, struct buf *errors)
{
    const struct master_conf *settings = m->settings;
    bool is_group = rc == -ESRCH || !settings->user;
    premises_complain(&m->premises, is_group ? "group" : "user",
                      is_group ? settings->group : settings->user, privileges_complaint(rc),
                      errors);
}

/* Asked for by name it is not left out in silence. */
static int check_sandbox(const struct master *m, struct buf *errors)
{
    static const char *const words[] = {[SANDBOX_ON] = "on", [SANDBOX_LOG] = "log"};
    int mode = m->settings->sandbox;
    const char *hindrance = sandbox_hindrance();
    if ((mode != SANDBOX_ON && mode != SANDBOX_LOG) || !hindrance)
        return 0;
    premises_complain(&m->premises, "sandbox", words[mode], hindrance, errors);
    return GW_ECONF;
}

/* The config as a whole: users, roles, addresses. Nothing is opened or made. */
static int plan(struct master *m, const struct master_setup *setup, struct buf *errors)
{
    *m = (struct master){
        .setup = setup,
        .settings = setup->settings,
        .daemon = {.report_fd = -1},
        .premises = {
            .fleet = &m->fleet, .conf_file = setup->conf_file, .pid_fd = -1, .ctl_fd = -1}};
    const char *slash = strrchr(setup->conf_file, '/');
    m->fleet = (struct fleet){.conf = setup->conf,
                              .settings = m->settings,
                              .privileges = &m->privileges,
                              .conf_name = slash ? slash + 1 : setup->conf_file,
                              .on_change = on_change,
                              .on_fork = on_fork,
                              .on_connection_row = on_connection_row,
                              .on_metrics_asked = on_metrics_asked,
                              .owner = m};
    int rc = privileges_find(m->settings->user, m->settings->group, &m->privileges);
    if (rc < 0)
        complain_user(m, rc, errors);
    if (check_sandbox(m, errors) < 0)
        rc = GW_ECONF;
    int rc_fleet = fleet_init(&m->fleet, setup->roles, setup->roles_n, errors);
    return rc < 0 ? rc : rc_fleet;
}

static int open_loop(struct master *m)
{
    static const int signals[] = {SIGCHLD, SIGINT,  SIGTERM, SIGTSTP, SIGQUIT,
                                  SIGHUP,  SIGUSR1, SIGUSR2, 0};
    m->loop = loop_new();
    m->conns = m->loop ? conn_pool_new(m->loop) : NULL;
    m->sig = m->conns ? sig_start(m->loop, signals, on_signal, m) : NULL;
    if (!m->sig)
        return -errno;
    m->fleet.loop = m->loop;
    m->fleet.conns = m->conns;
    m->startup = (struct startup){.fleet = &m->fleet, .on_over = on_started, .owner = m};
    return commands_init(&m->commands, &m->fleet, m->premises.ctl_fd, m->setup->is_detached);
}

static void run(struct master *m)
{
    title_set("gatehouse: master (%s)", m->fleet.conf_name);
    log_info("started%s with %s, pid %d", m->setup->is_detached ? " in the background" : "",
             m->setup->conf_file, (int)getpid());
    startup_begin(&m->startup, m->settings->ready_timeout_ms);
    fleet_start(&m->fleet);
    int rc = loop_run(m->loop);
    if (rc < 0) {
        log_error("the event loop failed: %s", gw_strerror(rc));
        m->exit_code = EXIT_CODE_FAILED;
    }
    startup_fini(&m->startup);
}

/* Callers of stop are answered last: then nothing of this server is left. */
static void say_goodbye(struct master *m)
{
    static const char failed[] = "the start failed; nothing is left running\n";
    commands_answer(&m->commands);
    for (int waited_ms = 0; ctl_sessions_n(m->commands.ctl) > 0 && waited_ms < FAREWELL_MS;
         waited_ms += 10)
        loop_turn(m->loop, 10);
    log_info("stopped");
    if (m->exit_code != EXIT_CODE_OK)
        daemonize_report(&m->daemon, span_str(failed), m->exit_code);
}

static void close_loop(struct master *m)
{
    timer_stop(m->loop, &m->fleet.sampling);
    task_cancel(m->loop, &m->fleet.changed);
    commands_fini(&m->commands);
    sig_stop(m->sig);
    conn_pool_free(m->conns);
    loop_turn(m->loop, 0); /* frees what was closed just now */
    loop_free(m->loop);
}

static int serve(struct master *m)
{
    int rc = pidfile_write(m->premises.pid_fd, getpid());
    if (rc == 0)
        rc = open_loop(m);
    if (rc < 0) {
        log_error("cannot start: %s", gw_strerror(rc));
        premises_release(&m->premises);
        return EXIT_CODE_FAILED;
    }
    run(m);
    ctl_stop_listening(m->commands.ctl);
    premises_release(&m->premises);
    say_goodbye(m);
    close_loop(m);
    return m->exit_code;
}

static void print_banner(const struct master *m)
{
    struct buf text = {0};
    if (m->setup->is_quiet)
        return;
    banner_text(&text, &m->fleet);
    fputs(buf_cstr(&text), stdout);
    fflush(stdout);
    buf_fini(&text);
}

/* What the server holds is the child's now: only copies are closed here. */
static int wait_for_daemon(struct master *m)
{
    int exit_code = daemonize_wait(&m->daemon, m->settings->log_file, m->premises.log_offset);
    if (exit_code == EXIT_CODE_OK && !m->setup->is_quiet)
        printf("Started in the background. \"gatehouse stop -c %s\" stops it.\n",
               m->setup->conf_file);
    return exit_code;
}

static int start_acquired(struct master *m)
{
    print_banner(m);
    if (!m->setup->is_detached)
        return serve(m);
    int rc = daemonize_fork(&m->daemon, m->settings->stdout_file);
    if (rc == 1)
        return wait_for_daemon(m);
    log_set_echo(false);
    if (rc < 0) {
        log_error("cannot leave the terminal (stdout_file %s): %s", m->settings->stdout_file,
                  gw_strerror(rc));
        premises_release(&m->premises);
        return EXIT_CODE_FAILED;
    }
    return serve(m);
}

static int fail(struct master *m, struct buf *errors)
{
    fputs(buf_cstr(errors), stderr);
    buf_fini(errors);
    premises_release(&m->premises);
    return EXIT_CODE_FAILED;
}

int master_start(const struct master_setup *setup)
{
    static struct master m; /* static: processes forked from here keep pointers into it */
    struct buf errors = {0};
    if (plan(&m, setup, &errors) < 0 || premises_take(&m.premises, &errors) < 0)
        return fail(&m, &errors);
    buf_fini(&errors);
    return start_acquired(&m);
}

/* In a folder of its own: what a running server has built must stay. */
int master_check(const struct master_setup *setup)
{
    static struct master m;
    struct buf errors = {0};
    char folder[] = "/tmp/gatehouse-check-XXXXXX";
    struct master_conf settings = *setup->settings;
    struct master_setup own = *setup;
    own.settings = &settings;
    settings.run_dir = mkdtemp(folder);
    if (!settings.run_dir) {
        fprintf(stderr, "cannot make a folder like %s: %s\n", folder, gw_strerror(-errno));
        return EXIT_CODE_FAILED;
    }
    int rc = plan(&m, &own, &errors);
    if (rc == 0)
        rc = premises_make_run_dir(&m.premises, &errors);
    if (rc == 0)
        rc = builder_run_all(&m.fleet, &errors);
    int exit_code = rc < 0 ? fail(&m, &errors) : EXIT_CODE_OK;
    fleet_fini(&m.fleet);
    buf_fini(&errors);
    rmdir(folder);
    return exit_code;
}

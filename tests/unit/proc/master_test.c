/* A whole server with a small role: start, crash, reload, stop, as its users see it. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <gw/err.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/listener.h"
#include "proc/ctl_client.h"
#include "proc/exit_code.h"
#include "proc/listen.h"
#include "proc/master.h"
#include "proc/pidfile.h"
#include "support/files.h"
#include "support/tmpdir.h"

/* --- the role "lamp": answers a line on its unix socket, or misbehaves as the line says --- */

struct lamp_conf {
    const char *listen;
    int64_t count;
    const char *code; /* file that prepare() copies; unset: none */
    int mode;
};

enum lamp_mode { LAMP_GOOD, LAMP_FAILS, LAMP_CRASHES, LAMP_NEVER_READY };

static const struct conf_key lamp_keys[] = {
    {.name = "listen",
     .type = CONF_STR,
     .offset = offsetof(struct lamp_conf, listen),
     .is_required = true},
    {.name = "count", .type = CONF_INT, .offset = offsetof(struct lamp_conf, count), .def = "1"},
    {.name = "code", .type = CONF_STR, .offset = offsetof(struct lamp_conf, code)},
    {.name = "mode",
     .type = CONF_ENUM,
     .offset = offsetof(struct lamp_conf, mode),
     .def = "good",
     .choices = "good|fails|crashes|never_ready"},
};

static const struct conf_table lamp_table = {.kind = "lamp",
                                             .meaning = "A test.",
                                             .keys = lamp_keys,
                                             .keys_n = ARRAY_LEN(lamp_keys),
                                             .conf_bytes = sizeof(struct lamp_conf)};

struct lamp {
    struct role_env *env;
    char code[64];
    uint64_t requests_n;
};

static int lamp_count(const void *conf)
{
    return (int)((const struct lamp_conf *)conf)->count;
}

static int lamp_plan(const struct conf *conf, const struct conf_section *s, int slot,
                     struct role_listen out[ROLE_LISTENERS_MAX], struct buf *errors)
{
    static const char *const schemes[] = {"text", NULL};
    const struct lamp_conf *c = s->conf;
    int rc = role_listen_parse(conf, s, "listen", c->listen, schemes, &out[0], errors);
    out[0].is_shared = true;
    return rc < 0 ? rc : slot == 0; /* a unix socket has one owner */
}

static void read_text(const char *path, char *out, size_t out_bytes)
{
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(out, 1, out_bytes - 1, f) : 0;
    out[n] = '\0';
    if (f)
        fclose(f);
}

static int lamp_prepare(const struct conf *conf, const struct conf_section *s, const char *run_dir,
                        unsigned serial, struct buf *artifact)
{
    const struct lamp_conf *c = s->conf;
    char text[64];
    if (!c->code)
        return 0;
    read_text(c->code, text, sizeof text);
    if (strncmp(text, "error", 5) == 0) {
        fprintf(stderr, "code:1: %s\n", text);
        return GW_ECONF;
    }
    buf_printf(artifact, "%s/code-%u", run_dir, serial);
    FILE *f = fopen(buf_cstr(artifact), "w");
    if (!f)
        return -errno;
    fputs(text, f);
    fclose(f);
    return 0;
}

static ssize_t lamp_bytes(struct conn *c, void *owner, uint8_t *at, size_t len)
{
    struct lamp *lamp = owner;
    char answer[128];
    lamp->requests_n++;
    if (at[0] == 'x')
        _exit(7);
    if (at[0] == 'l')
        for (;;)
            pause();
    int n = snprintf(answer, sizeof answer, "%d %u %s\n", (int)getpid(), lamp->env->generation,
                     lamp->code);
    return conn_send(c, span_of(answer, (size_t)n)) < 0 ? -EIO : (ssize_t)len;
}

static void lamp_closed(struct conn *c, void *owner, int why)
{
}

static void lamp_accept(void *owner, int fd, const struct addr *peer)
{
    static const struct conn_conf conf = {
        .in_max_bytes = 1024, .out_max_bytes = 1024, .close_timeout_ms = 1000};
    static const struct conn_events events = {.on_bytes = lamp_bytes, .on_close = lamp_closed};
    struct lamp *lamp = owner;
    struct conn *c =
        conn_new(lamp->env->conns, fd, peer, &plain_transport, NULL, &conf, &events, lamp);
    assert_non_null(c);
}

static int lamp_start(struct role_env *env, void **self)
{
    static struct lamp lamp;
    const struct lamp_conf *conf = env->section->conf;
    lamp = (struct lamp){.env = env};
    *self = &lamp;
    if (env->artifact)
        read_text(env->artifact, lamp.code, sizeof lamp.code);
    if (conf->mode == LAMP_FAILS || strncmp(lamp.code, "fail", 4) == 0) {
        log_error("the lamp is broken");
        return -EIO;
    }
    if (conf->mode == LAMP_CRASHES)
        abort();
    if (env->listen_fds_n > 0 && !listener_start(env->loop, env->listen_fds[0], lamp_accept, &lamp))
        return -errno;
    if (conf->mode != LAMP_NEVER_READY)
        env->ready(env);
    return 0;
}

static void lamp_end(void *self)
{
    struct lamp *lamp = self;
    lamp->env->finished(lamp->env);
}

static void lamp_status(void *self, struct role_status *out)
{
    struct lamp *lamp = self;
    out->requests_n = lamp->requests_n;
    out->connections_n = conn_pool_len(lamp->env->conns) - 1;
    snprintf(out->listening, sizeof out->listening, "text\tlamp");
}

static void lamp_connections(void *self, role_connection_fn *row, void *ctx)
{
    const struct role_connection c = {.id = 42,
                                      .transport = "unix",
                                      .protocol = "text",
                                      .state = "ESTABLISHED",
                                      .read_bytes = 2048,
                                      .local = "here",
                                      .remote = "there"};
    row(ctx, &c);
}

static const struct role lamp_role = {
    .kind = "lamp",
    .table = &lamp_table,
    .is_reloadable = true,
    .start_order = ROLE_ORDER_WORKER,
    .count = lamp_count,
    .plan = lamp_plan,
    .prepare = lamp_prepare,
    .start = lamp_start,
    .drain = lamp_end,
    .stop = lamp_end,
    .status = lamp_status,
    .connections = lamp_connections,
};

/* --- a server in a process of its own --- */

struct server {
    struct tmpdir dir;
    char conf_file[128], socket[128], pid_file[128], lamp[128], code[128];
    pid_t pid;
};

static void put_path(char out[128], const struct tmpdir *d, const char *name)
{
    snprintf(out, 128, "%s", tmpdir_path(d, name));
}

static struct server server_make(const char *keys)
{
    struct server s = {.dir = tmpdir_make()};
    char text[1024];
    put_path(s.conf_file, &s.dir, "lamp.conf");
    put_path(s.socket, &s.dir, "var/lamp.sock");
    put_path(s.pid_file, &s.dir, "var/lamp.pid");
    put_path(s.lamp, &s.dir, "lamp.sock");
    put_path(s.code, &s.dir, "code");
    snprintf(text, sizeof text,
             "[master]\nready_timeout = 3\ngraceful_timeout = 5\n[lamp]\nlisten = text://%s\ncode "
             "= %s\n%s\n",
             s.lamp, s.code, keys);
    tmpdir_write(&s.dir, "lamp.conf", text);
    tmpdir_write(&s.dir, "code", "one");
    return s;
}

static int run_master(const struct server *s, bool is_detached)
{
    static const struct conf_table *const tables[] = {&master_table, &lamp_table};
    static const struct role *const roles[] = {&lamp_role};
    static struct master_conf settings;
    struct buf errors = {0};
    struct conf *conf;
    if (conf_load(s->conf_file, tables, ARRAY_LEN(tables), &errors, &conf) < 0) {
        fprintf(stderr, "%s", buf_cstr(&errors));
        return EXIT_CODE_FAILED;
    }
    master_conf_fill(conf, s->conf_file, &settings);
    struct master_setup setup = {.conf = conf,
                                 .conf_file = s->conf_file,
                                 .settings = &settings,
                                 .roles = roles,
                                 .roles_n = 1,
                                 .is_detached = is_detached,
                                 .is_quiet = true};
    int exit_code = master_start(&setup);
    master_conf_fini(&settings);
    conf_free(conf);
    return exit_code;
}

/* What it prints goes to the file "out" in its folder. */
static void server_spawn(struct server *s, bool is_detached)
{
    const char *out = tmpdir_path(&s->dir, "out");
    fflush(NULL);
    s->pid = fork();
    assert_int_not_equal(s->pid, -1);
    if (s->pid != 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGTERM); /* a test that fails leaves no server behind */
    int fd = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    exit(run_master(s, is_detached));
}

static int wait_exit(pid_t pid)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* One line to the lamp and its answer; false while nobody answers. */
static bool ask_lamp(const struct server *s, const char *line, char *answer, size_t answer_bytes)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = 2};
    assert_true(strlen(s->lamp) < sizeof at.sun_path);
    memcpy(at.sun_path, s->lamp, strlen(s->lamp));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ssize_t n = -1;
    if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0 &&
        send(fd, line, strlen(line), MSG_NOSIGNAL) > 0)
        n = recv(fd, answer, answer_bytes - 1, 0);
    close(fd);
    answer[n > 0 ? n : 0] = '\0';
    return n > 0;
}

static void wait_lamp(const struct server *s, char *answer, size_t answer_bytes)
{
    uint64_t end_ms = clock_mono_ms() + 5000;
    while (!ask_lamp(s, "hello\n", answer, answer_bytes)) {
        if (clock_mono_ms() > end_ms)
            fail_msg("the lamp does not answer");
        usleep(10000);
    }
}

static void server_start(struct server *s, char *answer, size_t answer_bytes)
{
    server_spawn(s, false);
    wait_lamp(s, answer, answer_bytes);
}

/* A command's exit status; what it said in `text`. */
static int command(const struct server *s, const char *line, char *text, size_t text_bytes)
{
    char *at = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&at, &len);
    int rc = ctl_call(s->socket, line, 20000, out);
    fclose(out);
    snprintf(text, text_bytes, "%s", at);
    free(at);
    return rc;
}

static void server_stop(struct server *s)
{
    char text[4096];
    assert_int_equal(command(s, "stop", text, sizeof text), EXIT_CODE_OK);
    assert_int_equal(wait_exit(s->pid), EXIT_CODE_OK);
    assert_int_equal(access(s->pid_file, F_OK), -1);
    assert_int_equal(access(s->socket, F_OK), -1);
    assert_int_equal(access(s->lamp, F_OK), -1);
    tmpdir_remove(&s->dir);
}

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in:\n%s", part, text);
}

/* --- tests --- */

static void test_start_and_stop(void **state)
{
    struct server s = server_make("");
    char text[4096];
    server_start(&s, text, sizeof text);
    assert_has(text, " 1 one");
    assert_int_equal(pidfile_holder(s.pid_file), s.pid);
    server_stop(&s);
}

static void test_second_start_is_refused(void **state)
{
    struct server s = server_make("");
    char text[4096], want[64];
    server_start(&s, text, sizeof text);
    struct server twin = s;
    server_spawn(&twin, false);
    assert_int_equal(wait_exit(twin.pid), EXIT_CODE_FAILED);
    tmpdir_read(&s.dir, "out", text, sizeof text);
    snprintf(want, sizeof want, "lamp.conf: already running (pid %d)", (int)s.pid);
    assert_has(text, want);
    assert_true(ask_lamp(&s, "hello\n", text, sizeof text));
    server_stop(&s);
}

static void test_crash_is_restarted_and_counted(void **state)
{
    struct server s = server_make("");
    char before[128], after[128], text[4096];
    server_start(&s, before, sizeof before);
    assert_false(ask_lamp(&s, "x\n", after, sizeof after));
    wait_lamp(&s, after, sizeof after);
    assert_int_not_equal(atoi(before), atoi(after));
    assert_has(after, " 2 one");
    assert_int_equal(command(&s, "status json", text, sizeof text), EXIT_CODE_OK);
    assert_has(text, "{\"exit_status\":7,\"exit_count\":1,\"how\":\"exit status 7\"}");
    assert_int_equal(command(&s, "status", text, sizeof text), EXIT_CODE_OK);
    assert_has(text, "1 sections    1 processes");
    assert_has(text, "text?lamp");
    server_stop(&s);
}

static void test_reload_replaces_the_process(void **state)
{
    struct server s = server_make("count = 3");
    char before[128], after[128], text[4096];
    server_start(&s, before, sizeof before);
    tmpdir_write(&s.dir, "code", "two");
    assert_int_equal(command(&s, "reload", text, sizeof text), EXIT_CODE_OK);
    assert_string_equal(text, "lamp: 3 processes replaced\n");
    assert_true(ask_lamp(&s, "hello\n", after, sizeof after));
    assert_has(after, " 2 two");
    assert_int_equal(access(tmpdir_path(&s.dir, "var/lamp.run/code-1"), F_OK), -1);
    assert_int_equal(access(tmpdir_path(&s.dir, "var/lamp.run/code-2"), F_OK), 0);
    server_stop(&s);
}

static void test_bad_code_leaves_the_old_running(void **state)
{
    struct server s = server_make("");
    char before[128], after[128], text[4096];
    server_start(&s, before, sizeof before);
    tmpdir_write(&s.dir, "code", "error: a semicolon is missing");
    assert_int_equal(command(&s, "reload", text, sizeof text), EXIT_CODE_FAILED);
    assert_has(text, "code:1: error: a semicolon is missing\n");
    assert_has(text, "lamp: FAILED: the build failed; the old code keeps running\n");
    assert_true(ask_lamp(&s, "hello\n", after, sizeof after));
    assert_string_equal(before, after);
    server_stop(&s);
}

static void test_code_that_fails_at_start_leaves_the_old_running(void **state)
{
    struct server s = server_make("");
    char before[128], after[128], text[4096];
    server_start(&s, before, sizeof before);
    tmpdir_write(&s.dir, "code", "fail");
    assert_int_equal(command(&s, "reload", text, sizeof text), EXIT_CODE_FAILED);
    assert_has(text, "ended before it served");
    assert_true(ask_lamp(&s, "hello\n", after, sizeof after));
    assert_string_equal(before, after);
    assert_int_equal(access(tmpdir_path(&s.dir, "var/lamp.run/code-2"), F_OK), -1);
    server_stop(&s);
}

static void test_stuck_process_is_busy_and_stop_kills_it(void **state)
{
    struct server s = server_make("");
    char answer[128], text[4096];
    server_start(&s, answer, sizeof answer);
    assert_false(ask_lamp(&s, "l\n", answer, sizeof answer));
    assert_int_equal(command(&s, "status", text, sizeof text), EXIT_CODE_OK);
    assert_has(text, "[busy]");
    assert_int_equal(command(&s, "connections", text, sizeof text), EXIT_CODE_OK);
    assert_has(text, "lamp #0: [busy]");
    server_stop(&s);
}

static void test_connections(void **state)
{
    struct server s = server_make("");
    char text[4096];
    server_start(&s, text, sizeof text);
    assert_int_equal(command(&s, "connections", text, sizeof text), EXIT_CODE_OK);
    assert_has(text, "Foreign-Address");
    assert_has(text, "2.00K");
    assert_int_equal(command(&s, "dance", text, sizeof text), EXIT_CODE_USAGE);
    assert_int_equal(command(&s, "sta\x01tus", text, sizeof text), EXIT_CODE_USAGE);
    server_stop(&s);
}

static void test_failing_role_fails_the_start(void **state)
{
    static const char *const modes[] = {"mode = fails", "mode = crashes"};
    for (size_t i = 0; i < ARRAY_LEN(modes); i++)
        for (int is_detached = 0; is_detached < 2; is_detached++) {
            struct server s = server_make(modes[i]);
            char text[4096];
            server_spawn(&s, is_detached);
            assert_int_equal(wait_exit(s.pid), EXIT_CODE_FAILED);
            tmpdir_read(&s.dir, "out", text, sizeof text);
            assert_has(text, "lamp #0");
            assert_has(text, i == 0 ? "the lamp is broken" : "killed by signal 6");
            assert_int_equal(pidfile_holder(s.pid_file), 0);
            tmpdir_remove(&s.dir);
        }
}

static void test_detached_start_returns_when_it_serves(void **state)
{
    struct server s = server_make("");
    char text[4096];
    server_spawn(&s, true);
    assert_int_equal(wait_exit(s.pid), EXIT_CODE_OK);
    assert_true(ask_lamp(&s, "hello\n", text, sizeof text));
    assert_true(pidfile_holder(s.pid_file) > 0);
    assert_int_equal(command(&s, "stop graceful", text, sizeof text), EXIT_CODE_OK);
    assert_int_equal(pidfile_holder(s.pid_file), 0);
    tmpdir_remove(&s.dir);
}

static void test_waiting_role_starts_with_a_warning(void **state)
{
    struct server s = server_make("mode = never_ready");
    char text[4096];
    server_spawn(&s, true);
    assert_int_equal(wait_exit(s.pid), EXIT_CODE_OK);
    tmpdir_read(&s.dir, "out", text, sizeof text);
    assert_has(text, "lamp #0 does not serve yet\n");
    assert_int_equal(command(&s, "stop", text, sizeof text), EXIT_CODE_OK);
    tmpdir_remove(&s.dir);
}

static void test_processes_end_with_a_killed_master(void **state)
{
    struct server s = server_make("");
    char answer[128];
    server_start(&s, answer, sizeof answer);
    kill(s.pid, SIGKILL);
    assert_int_equal(wait_exit(s.pid), 128 + SIGKILL);
    uint64_t end_ms = clock_mono_ms() + 20000;
    while (kill(atoi(answer), 0) == 0 && clock_mono_ms() < end_ms)
        usleep(10000);
    assert_int_equal(kill(atoi(answer), 0), -1);
    server_start(&s, answer, sizeof answer); /* the stale files are no obstacle */
    server_stop(&s);
}

static void test_signals(void **state)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP};
    for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
        struct server s = server_make("");
        char text[4096];
        server_start(&s, text, sizeof text);
        kill(s.pid, signals[i]);
        assert_int_equal(wait_exit(s.pid), EXIT_CODE_OK);
        assert_int_equal(access(s.pid_file, F_OK), -1);
        tmpdir_remove(&s.dir);
    }
}

/* A build waits for its code from here on … */
static void hold_builds(const struct server *s)
{
    assert_int_equal(unlink(s->code), 0);
    assert_int_equal(mkfifo(s->code, 0600), 0);
}

/* … and one has begun, when this returns; it ends with end_build(). */
static int await_build(const struct server *s)
{
    int fifo = open(s->code, O_WRONLY);
    assert_int_not_equal(fifo, -1);
    return fifo;
}

static void end_build(int fifo)
{
    assert_int_equal(write(fifo, "two", 3), 3);
    close(fifo);
}

static void assert_holds_its_own(const struct server *s, pid_t pid)
{
    assert_int_equal(files_shared_n(pid, s->pid), 1); /* where it listens */
    /* The spare one of its listener. */
    assert_int_equal(files_named_n(pid, "/dev/null"), 1 + files_named_n(getpid(), "/dev/null"));
}

/* Business code must not be able to write into the master's pipe of signals. */
static void test_a_process_holds_its_own_descriptors_only(void **state)
{
    struct server s = server_make("");
    char answer[128], text[4096];
    server_start(&s, answer, sizeof answer);
    assert_holds_its_own(&s, atoi(answer));
    hold_builds(&s);
    pid_t caller = fork();
    if (caller == 0)
        _exit(command(&s, "reload", text, sizeof text));
    int build = await_build(&s);
    assert_false(ask_lamp(&s, "x\n", answer, sizeof answer));
    wait_lamp(&s, answer, sizeof answer);
    assert_holds_its_own(&s, atoi(answer));
    end_build(build);
    assert_int_equal(wait_exit(caller), EXIT_CODE_OK);
    server_stop(&s);
}

/* What a killed server left names a stranger, whom the commands would tell to kill. */
static void test_the_pid_file_is_true_while_modules_are_built(void **state)
{
    struct server s = server_make("");
    char answer[128];
    tmpdir_mkdir(&s.dir, "var");
    tmpdir_write(&s.dir, "var/lamp.pid", "1\n");
    hold_builds(&s);
    server_spawn(&s, false);
    int build = await_build(&s);
    assert_int_equal(pidfile_holder(s.pid_file), s.pid);
    end_build(build);
    wait_lamp(&s, answer, sizeof answer);
    assert_int_equal(pidfile_holder(s.pid_file), s.pid);
    server_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start_and_stop),
        cmocka_unit_test(test_second_start_is_refused),
        cmocka_unit_test(test_crash_is_restarted_and_counted),
        cmocka_unit_test(test_reload_replaces_the_process),
        cmocka_unit_test(test_bad_code_leaves_the_old_running),
        cmocka_unit_test(test_code_that_fails_at_start_leaves_the_old_running),
        cmocka_unit_test(test_stuck_process_is_busy_and_stop_kills_it),
        cmocka_unit_test(test_connections),
        cmocka_unit_test(test_failing_role_fails_the_start),
        cmocka_unit_test(test_detached_start_returns_when_it_serves),
        cmocka_unit_test(test_waiting_role_starts_with_a_warning),
        cmocka_unit_test(test_processes_end_with_a_killed_master),
        cmocka_unit_test(test_signals),
        cmocka_unit_test(test_a_process_holds_its_own_descriptors_only),
        cmocka_unit_test(test_the_pid_file_is_true_while_modules_are_built),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

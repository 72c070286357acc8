/* A server in a process of its own, with a role that misbehaves as it is told. */
#ifndef TEST_MASTER_FIXTURE_H
#define TEST_MASTER_FIXTURE_H

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

/* Outlives the build by a moment; its pid goes into the code. */
static void leave_an_orphan(char *text, size_t text_bytes)
{
    pid_t builder = getpid(), orphan = fork();
    while (orphan == 0 && getppid() == builder)
        usleep(1000);
    if (orphan == 0)
        _exit(0);
    snprintf(text, text_bytes, "orphan %d", (int)orphan);
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
    if (strncmp(text, "orphan", 6) == 0)
        leave_an_orphan(text, sizeof text);
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
    bool is_init; /* gets the orphans, as in a container */
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
    prctl(PR_SET_CHILD_SUBREAPER, s->is_init);
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

#endif

/* Runs a role's prepare() in a process of its own, so that compiling never blocks the master. */
#include "proc/builder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gw/err.h>

#include "base/mem.h"

enum { OUTPUT_MAX_BYTES = 65536 };

struct drain_pipe {
    struct watch watch;
    struct builder *builder;
    struct buf bytes;
    bool is_open;
};

struct builder {
    struct fleet *fleet;
    struct loop *loop;
    pid_t pid;
    struct drain_pipe output;   /* stdout and stderr of prepare(), and of programs that it ran */
    struct drain_pipe artifact; /* the path that it wrote; its end is the end of the build */
    struct timer deadline;
    bool is_late;
    struct task done;
    builder_fn *on_done;
    void *owner;
};

static void pipe_close(struct drain_pipe *p)
{
    if (!p->is_open)
        return;
    watch_stop(p->builder->loop, &p->watch);
    close(p->watch.fd);
    p->is_open = false;
}

static void builder_free(struct builder *b)
{
    timer_stop(b->loop, &b->deadline);
    pipe_close(&b->output);
    pipe_close(&b->artifact);
    buf_fini(&b->output.bytes);
    buf_fini(&b->artifact.bytes);
    mem_free(b);
}

static int reap(const struct builder *b)
{
    int wait_status;
    b->fleet->build_pid = 0;
    while (waitpid(b->pid, &wait_status, 0) < 0)
        if (errno != EINTR)
            return GW_ECONF;
    if (b->is_late)
        return GW_ETIMEOUT;
    return wait_status == 0 ? 0 : GW_ECONF;
}

static void finish(struct task *t)
{
    struct builder *b = CONTAINER_OF(t, struct builder, done);
    int rc = reap(b);
    const char *path = b->artifact.bytes.len > 0 ? buf_cstr(&b->artifact.bytes) : NULL;
    b->on_done(b->owner, rc, rc == 0 ? path : NULL, buf_span(&b->output.bytes));
    builder_free(b);
}

/* false: for now there is nothing, or never again. */
static bool read_some(struct drain_pipe *p)
{
    uint8_t bytes[4096];
    ssize_t n = read(p->watch.fd, bytes, sizeof bytes);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n <= 0) {
        pipe_close(p);
        return false;
    }
    size_t room = OUTPUT_MAX_BYTES - p->bytes.len;
    buf_put(&p->bytes, bytes, (size_t)n < room ? (size_t)n : room);
    return true;
}

/* A program that goes on in the background, such as the server of a compiler's cache, keeps the
 * output open for as long as it lives. What came before the build's end is read, no more. */
static void end_build(struct builder *b)
{
    while (b->output.is_open && b->output.bytes.len < OUTPUT_MAX_BYTES && read_some(&b->output))
        ;
    loop_at_end(b->loop, &b->done);
}

static void on_readable(struct watch *w, unsigned ready)
{
    struct drain_pipe *p = CONTAINER_OF(w, struct drain_pipe, watch);
    (void)read_some(p);
    if (!p->builder->artifact.is_open)
        end_build(p->builder);
}

/* The compiler runs in the builder's process group and goes with it. */
static void on_deadline(struct timer *t)
{
    struct builder *b = CONTAINER_OF(t, struct builder, deadline);
    b->is_late = true;
    kill(-b->pid, SIGKILL);
    end_build(b);
}

static void build(struct fleet *f, struct group *g, int output_fd, int artifact_fd) NORETURN;
static void build(struct fleet *f, struct group *g, int output_fd, int artifact_fd)
{
    struct buf path = {0};
    setpgid(0, 0);
    dup2(output_fd, STDOUT_FILENO);
    dup2(output_fd, STDERR_FILENO);
    int rc = privileges_drop(f->privileges);
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (rc == 0)
        rc = g->role->prepare(f->conf, g->section, f->settings->run_dir, g->serial + 1, &path);
    fflush(NULL);
    if (rc == 0 && path.len < PIPE_BUF && write(artifact_fd, path.at, path.len) < 0)
        rc = -errno;
    _exit(rc < 0);
}

static int watch_pipe(struct builder *b, struct drain_pipe *p, int fd)
{
    p->builder = b;
    p->watch = (struct watch){.fd = fd, .on_ready = on_readable};
    p->is_open = true;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return watch_start(b->loop, &p->watch, LOOP_READ);
}

static int adopt(struct builder *b, int output_fd, int artifact_fd)
{
    int rc = watch_pipe(b, &b->output, output_fd);
    int rc_artifact = watch_pipe(b, &b->artifact, artifact_fd);
    return rc < 0 ? rc : rc_artifact;
}

struct builder *builder_start(struct fleet *f, struct loop *l, struct group *g, builder_fn *on_done,
                              void *owner)
{
    int out[2], path[2];
    if (pipe2(out, O_CLOEXEC) < 0)
        return NULL;
    if (pipe2(path, O_CLOEXEC) < 0)
        goto close_out;
    pid_t pid = fleet_fork(f);
    if (pid < 0)
        goto close_path;
    if (pid == 0)
        build(f, g, out[1], path[1]);
    close(out[1]);
    close(path[1]);
    struct builder *b = mem_zalloc(sizeof *b);
    *b = (struct builder){.fleet = f, .loop = l, .pid = pid, .on_done = on_done, .owner = owner};
    f->build_pid = pid;
    b->deadline.fire = on_deadline;
    b->done.run = finish;
    timer_start(l, &b->deadline, f->settings->prepare_timeout_ms);
    setpgid(pid, pid); /* here too: whoever is first */
    if (adopt(b, out[0], path[0]) == 0)
        return b;
    builder_cancel(b);
    errno = EMFILE;
    return NULL;
close_path:
    close(path[0]);
    close(path[1]);
close_out:
    close(out[0]);
    close(out[1]);
    return NULL;
}

void builder_cancel(struct builder *b)
{
    if (!b)
        return;
    kill(-b->pid, SIGKILL);
    (void)!reap(b);
    task_cancel(b->loop, &b->done);
    builder_free(b);
}

void builder_abandon(struct builder *b)
{
    if (b && b->output.is_open)
        close(b->output.watch.fd);
    if (b && b->artifact.is_open)
        close(b->artifact.watch.fd);
}

struct first_build {
    struct group *group;
    bool is_done;
    int rc;
};

static void on_first_build(void *owner, int rc, const char *artifact, struct span output)
{
    struct first_build *first = owner;
    if (output.len > 0)
        fwrite(output.at, 1, output.len, stderr);
    first->is_done = true;
    first->rc = rc;
    if (rc == 0) {
        first->group->artifact = artifact ? mem_strdup(artifact) : NULL;
        first->group->serial++;
    }
}

static int run_one(struct fleet *f, struct loop *l, struct group *g, struct buf *errors)
{
    struct first_build first = {.group = g};
    if (!builder_start(f, l, g, on_first_build, &first)) {
        buf_printf(errors, "[%s] cannot start the build: %s\n", g->title, gw_strerror(-errno));
        return GW_ECONF;
    }
    while (!first.is_done)
        loop_turn(l, -1);
    if (first.rc < 0)
        buf_printf(errors, "%s:%d: [%s] %s\n", g->section->file, g->section->line, g->title,
                   first.rc == GW_ETIMEOUT ? "building the module took longer than prepare_timeout"
                                           : "building the module failed; see the lines above");
    return first.rc;
}

int builder_run_all(struct fleet *f, struct buf *errors)
{
    int rc = 0;
    struct loop *l = loop_new();
    if (!l) {
        buf_printf(errors, "cannot make an event loop: %s\n", gw_strerror(-errno));
        return GW_ECONF;
    }
    for (size_t g = 0; g < f->groups_n; g++)
        if (f->groups[g].role->prepare && run_one(f, l, &f->groups[g], errors) < 0)
            rc = GW_ECONF;
    loop_free(l);
    return rc;
}

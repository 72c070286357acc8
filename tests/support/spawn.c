/* Child processes with a deadline, watched through the pipe that carries their output. */
#include "support/spawn.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

struct child {
    pid_t pid;
    int pid_fd; /* readable when the child has ended, even if grandchildren hold the pipe */
    int out_fd;
};

static void exec_argv(void *arg)
{
    char *const *argv = arg;
    execvp(argv[0], argv);
    _exit(127);
}

static struct child start(void (*fn)(void *arg), void *arg)
{
    struct child c;
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    c.pid = fork();
    assert_true(c.pid >= 0);
    if (c.pid == 0) {
        dup2(fds[1], STDOUT_FILENO);
        dup2(fds[1], STDERR_FILENO);
        fn(arg);
        _exit(0);
    }
    close(fds[1]);
    c.out_fd = fds[0];
    c.pid_fd = (int)syscall(SYS_pidfd_open, c.pid, 0);
    assert_true(c.pid_fd >= 0);
    return c;
}

/* Reads once; false at the end of the output. */
static bool take_output(int fd, struct buf *output)
{
    uint8_t some[4096];
    ssize_t n = read(fd, some, sizeof some);
    if (n > 0 && output)
        buf_put(output, some, (size_t)n);
    return n > 0;
}

/* True when the child ended in time. All output that it wrote has been read then. */
static bool watch(struct child *c, int timeout_ms, struct buf *output)
{
    uint64_t end_ms = clock_mono_ms() + (uint64_t)timeout_ms;
    struct pollfd fds[2] = {{.fd = c->out_fd, .events = POLLIN},
                            {.fd = c->pid_fd, .events = POLLIN}};
    for (;;) {
        uint64_t now_ms = clock_mono_ms();
        if (now_ms >= end_ms || poll(fds, 2, (int)(end_ms - now_ms)) <= 0)
            return false;
        if (fds[0].revents & POLLIN)
            take_output(c->out_fd, output);
        else if (fds[1].revents)
            return true;
        else if (fds[0].revents)
            fds[0].fd = -1; /* the pipe is at its end: wait for the process alone */
    }
}

int spawn_call(void (*fn)(void *arg), void *arg, int timeout_ms, struct buf *output)
{
    struct child c = start(fn, arg);
    bool is_done = watch(&c, timeout_ms, output);
    int status;
    if (!is_done)
        kill(c.pid, SIGKILL);
    assert_int_equal(waitpid(c.pid, &status, 0), c.pid);
    close(c.out_fd);
    close(c.pid_fd);
    if (!is_done)
        return SPAWN_TIMED_OUT;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int spawn_wait(char *const argv[], int timeout_ms, struct buf *output)
{
    return spawn_call(exec_argv, (void *)(uintptr_t)argv, timeout_ms, output);
}

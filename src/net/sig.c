/* Signals as loop events: handlers only write a byte, the loop calls back. */
#include "net/sig.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/mem.h"

enum { SIGNALS_MAX = 16 };

struct sig {
    struct loop *loop;
    struct watch watch; /* the pipe's reading end */
    struct task free_later;
    int write_fd;
    int signals[SIGNALS_MAX];
    size_t signals_n;
    sig_fn *on_signal;
    void *owner;
    bool is_stopped;
};

/* Handlers have no argument of ours, so the pipe must be found through the process. */
static volatile sig_atomic_t pipe_fd = -1;

static void handle(int signal_number)
{
    int saved = errno;
    unsigned char byte = (unsigned char)signal_number;
    /* A full pipe holds thousands of signals that the loop has not seen: one more changes nothing.
     */
    ssize_t n = write(pipe_fd, &byte, 1);
    (void)n;
    errno = saved;
}

static void on_ready(struct watch *w, unsigned ready)
{
    struct sig *s = CONTAINER_OF(w, struct sig, watch);
    unsigned char bytes[64];
    ssize_t n = read(w->fd, bytes, sizeof bytes);
    for (ssize_t i = 0; i < n && !s->is_stopped; i++)
        s->on_signal(s->owner, bytes[i]);
}

static void set_action(int signal_number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(signal_number, &action, NULL);
}

static void free_now(struct task *t)
{
    struct sig *s = CONTAINER_OF(t, struct sig, free_later);
    close(s->watch.fd);
    close(s->write_fd);
    mem_free(s);
}

struct sig *sig_start(struct loop *l, const int *signals, sig_fn *on_signal, void *owner)
{
    int fds[2];
    if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) < 0)
        return NULL;
    struct sig *s = mem_zalloc(sizeof *s);
    *s = (struct sig){
        .loop = l,
        .watch = {.fd = fds[0], .on_ready = on_ready},
        .free_later.run = free_now,
        .write_fd = fds[1],
        .on_signal = on_signal,
        .owner = owner,
    };
    int rc = watch_start(l, &s->watch, LOOP_READ);
    if (rc < 0) {
        free_now(&s->free_later);
        errno = -rc;
        return NULL;
    }
    pipe_fd = s->write_fd;
    for (; signals[s->signals_n] && s->signals_n < SIGNALS_MAX; s->signals_n++) {
        s->signals[s->signals_n] = signals[s->signals_n];
        set_action(signals[s->signals_n], handle);
    }
    set_action(SIGPIPE, SIG_IGN);
    return s;
}

static void stop_hearing(struct sig *s)
{
    s->is_stopped = true;
    for (size_t i = 0; i < s->signals_n; i++)
        set_action(s->signals[i], SIG_DFL);
    if (pipe_fd == s->write_fd)
        pipe_fd = -1;
}

void sig_abandon(struct sig *s)
{
    if (!s || s->is_stopped)
        return;
    stop_hearing(s);
    close(s->watch.fd);
    close(s->write_fd);
}

void sig_stop(struct sig *s)
{
    if (!s || s->is_stopped)
        return;
    stop_hearing(s);
    watch_stop(s->loop, &s->watch);
    loop_at_end(s->loop, &s->free_later);
}

void sig_mask_of_threads(sigset_t *out)
{
    sigfillset(out);
    sigdelset(out, SIGSYS);
}

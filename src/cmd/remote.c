/* Commands that talk to a running server through its control socket. */
#include "cmd/remote.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <gw/err.h>

#include "proc/ctl.h"
#include "proc/ctl_client.h"
#include "proc/exit_code.h"
#include "proc/pidfile.h"

enum {
    ANSWER_MS = 10000, /* the master asks its processes for 1 s at most, so this is plenty */
    SPARE_MS = 5000,   /* on top of the server's own limits */
    LIVE_PAUSE_S = 1,
};

static bool is_absent(int rc)
{
    return rc == -ENOENT || rc == -ECONNREFUSED;
}

static int explain(const struct remote *r, int rc)
{
    pid_t pid = r->pid_file ? pidfile_holder(r->pid_file) : 0;
    if (is_absent(rc) && pid == 0) {
        fprintf(stderr, "%s: not running\n", r->conf_file);
        return EXIT_CODE_NOT_RUNNING;
    }
    if (rc == -ETIMEDOUT)
        fprintf(stderr, "%s: the master does not answer\n", r->conf_file);
    else if (rc == -EPIPE)
        fprintf(stderr, "%s: the master went away before it had answered\n", r->conf_file);
    else
        fprintf(stderr, "%s: cannot reach the master through %s: %s\n", r->conf_file,
                r->control_socket, gw_strerror(rc));
    if (pid > 0)
        fprintf(stderr, "pid %d runs; \"kill -TERM %d\" stops it\n", (int)pid, (int)pid);
    return EXIT_CODE_FAILED;
}

static int call(const struct remote *r, const char *command, uint64_t silence_ms)
{
    int rc = ctl_call(r->control_socket, command, (int)silence_ms, stdout);
    return rc < 0 ? explain(r, rc) : rc;
}

int remote_stop(const struct remote *r, const struct args *a)
{
    uint64_t limit_ms = r->stop_timeout_ms + SPARE_MS;
    if (a->is_graceful)
        limit_ms += r->graceful_timeout_ms;
    int rc = call(r, a->is_graceful ? "stop graceful" : "stop", limit_ms);
    return rc == EXIT_CODE_NOT_RUNNING ? EXIT_CODE_OK : rc;
}

/* Silent at most while one step lasts: the build, the new processes' start, the old ones' leave. */
int remote_reload(const struct remote *r, const struct args *a)
{
    return call(r, "reload",
                r->prepare_timeout_ms + r->ready_timeout_ms + r->graceful_timeout_ms +
                    r->stop_timeout_ms + SPARE_MS);
}

static void clear_screen(void)
{
    if (isatty(STDOUT_FILENO))
        fputs("\033[H\033[2J", stdout); /* ECMA-48 §8.3.21 CUP, §8.3.39 ED */
}

int remote_status(const struct remote *r, const struct args *a)
{
    const char *command = a->is_json ? "status json" : "status";
    if (!a->is_detached)
        return call(r, command, ANSWER_MS);
    for (;;) {
        clear_screen();
        int rc = call(r, command, ANSWER_MS);
        if (rc != EXIT_CODE_OK)
            return rc;
        fputs("\nPress Ctrl+C to leave.\n", stdout);
        if (fflush(stdout) != 0)
            return EXIT_CODE_FAILED;
        sleep(LIVE_PAUSE_S);
    }
}

int remote_connections(const struct remote *r, const struct args *a)
{
    return call(r, "connections", ANSWER_MS);
}

static const char *target_of(const struct args *a)
{
    return a->target ? a->target : "gateway";
}

/* The master tells each second how far it is. */
int remote_drain(const struct remote *r, const struct args *a)
{
    enum { DEFAULT_SECONDS = 30 };
    char command[CTL_LINE_MAX];
    unsigned seconds = a->seconds ? a->seconds : a->rate ? 0 : DEFAULT_SECONDS;
    int n = snprintf(command, sizeof command, "drain %s %u %u %d", target_of(a), a->rate, seconds,
                     a->comes_back);
    if (n < 0 || (size_t)n >= sizeof command)
        return EXIT_CODE_USAGE;
    return call(r, command, ANSWER_MS);
}

int remote_undrain(const struct remote *r, const struct args *a)
{
    char command[CTL_LINE_MAX];
    int n = snprintf(command, sizeof command, "undrain %s", target_of(a));
    if (n < 0 || (size_t)n >= sizeof command)
        return EXIT_CODE_USAGE;
    return call(r, command, ANSWER_MS);
}

/* The log: one line per event, put together on the stack and written with one call.
 *
 * Several processes append to one file; O_APPEND and one write per line keep lines whole. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

enum { LINE_BYTES = 4096, WHO_BYTES = 64 };

static struct {
    int fd; /* the file, or -1: stderr only */
    enum log_level level;
    bool is_echoing;
    char path[PATH_MAX]; /* absolute, for log_reopen() */
    char who[WHO_BYTES];
    atomic_uint_fast64_t lost_n; /* atomic: threads log, too */
} sink = {.fd = -1, .level = LOG_INFO};

static int open_to_append(const char *path, int more_flags)
{
    int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | more_flags;
    int fd = open(path, flags, 0640);
    return fd < 0 ? -errno : fd;
}

/* Where the link leads, if this user or root made it, else -ELOOP. Read through one descriptor, so
 * that it is the same link. */
static int read_own_link(const char *path, char target[PATH_MAX])
{
    struct stat st;
    int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    bool is_own = fstat(fd, &st) == 0 && (st.st_uid == geteuid() || st.st_uid == 0);
    ssize_t len = is_own ? readlinkat(fd, "", target, PATH_MAX) : -1;
    close(fd);
    if (len < 0 || len >= PATH_MAX)
        return -ELOOP;
    target[len] = '\0';
    return 0;
}

/* A master that is root may write its log in a folder that its processes' user owns: a link there
 * could point at any file of the system. */
int log_open_file(const char *path)
{
    char target[PATH_MAX], beside[2 * PATH_MAX];
    int fd = open_to_append(path, O_NOFOLLOW);
    if (fd != -ELOOP)
        return fd;
    int rc = read_own_link(path, target);
    if (rc < 0)
        return rc;
    const char *slash = target[0] == '/' ? NULL : strrchr(path, '/');
    int folder_len = slash ? (int)(slash + 1 - path) : 0;
    snprintf(beside, sizeof beside, "%.*s%s", folder_len, path, target);
    return open_to_append(beside, 0);
}

int log_give(uid_t uid, gid_t gid)
{
    return sink.fd >= 0 && fchown(sink.fd, uid, gid) < 0 ? -errno : 0;
}

/* Absolute, because the process may change its folder before the log is reopened. */
static int make_absolute(const char *path, char out[PATH_MAX])
{
    char cwd[PATH_MAX] = "";
    if (path[0] != '/' && !getcwd(cwd, sizeof cwd))
        return -errno;
    int len = snprintf(out, PATH_MAX, "%s%s%s", cwd, cwd[0] ? "/" : "", path);
    return len < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static void replace_fd(int fd)
{
    if (sink.fd >= 0)
        close(sink.fd);
    sink.fd = fd;
}

int log_open(const char *path, enum log_level level, bool is_echoing)
{
    char absolute[PATH_MAX] = "";
    int fd = -1;
    if (path) {
        int rc = make_absolute(path, absolute);
        if (rc < 0)
            return rc;
        fd = log_open_file(absolute);
        if (fd < 0)
            return fd;
    }
    replace_fd(fd);
    memcpy(sink.path, absolute, sizeof absolute);
    sink.level = level;
    sink.is_echoing = is_echoing;
    return 0;
}

int log_reopen(void)
{
    if (sink.fd < 0)
        return 0;
    int fd = log_open_file(sink.path);
    if (fd < 0)
        return fd;
    replace_fd(fd);
    return 0;
}

void log_set_who(const char *who)
{
    snprintf(sink.who, sizeof sink.who, "%s", who);
}

void log_set_level(enum log_level level)
{
    sink.level = level;
}

void log_set_echo(bool is_echoing)
{
    sink.is_echoing = is_echoing;
}

/* A peer's bytes must not be able to forge a line or to steer a terminal. */
static void defuse(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = *text == '\n' || *text == '\t' ? ' ' : '?';
}

/* One line with its newline; returns its length. */
static size_t compose(char *line, enum log_level level, const char *text)
{
    static const char *const marks[] = {[LOG_ERROR] = "error: ",
                                        [LOG_WARN] = "warning: ",
                                        [LOG_INFO] = "",
                                        [LOG_DEBUG] = "debug: "};
    char now[20];
    clock_text(clock_wall_s(), now, sizeof now);
    int len = snprintf(line, LINE_BYTES - 1, "%s pid:%d%s%s: %s%s", now, (int)getpid(),
                       sink.who[0] ? " " : "", sink.who, marks[level], text);
    size_t used = len < LINE_BYTES - 1 ? (size_t)len : LINE_BYTES - 2;
    line[used] = '\0';
    defuse(line);
    line[used] = '\n';
    return used + 1;
}

static bool write_line(int fd, const char *line, size_t len)
{
    ssize_t n;
    do
        n = write(fd, line, len);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)len;
}

static void emit(enum log_level level, const char *text)
{
    char line[LINE_BYTES];
    int fd = sink.fd >= 0 ? sink.fd : STDERR_FILENO;
    uint64_t lost_n = atomic_exchange(&sink.lost_n, 0);
    if (lost_n) {
        char told[80];
        snprintf(told, sizeof told, "%llu log lines before this one could not be written",
                 (unsigned long long)lost_n);
        if (write_line(fd, line, compose(line, LOG_WARN, told)))
            lost_n = 0;
    }
    size_t len = compose(line, level, text);
    if (!write_line(fd, line, len))
        lost_n++;
    if (lost_n)
        atomic_fetch_add(&sink.lost_n, lost_n);
    if (sink.fd >= 0 && sink.is_echoing)
        (void)write_line(STDERR_FILENO, line, len);
}

static PRINTF_LIKE(3, 0) void emit_args(enum log_level level, uint64_t held_n, const char *fmt,
                                        va_list args)
{
    char text[LINE_BYTES];
    int saved = errno;
    int len = vsnprintf(text, sizeof text, fmt, args);
    if (held_n && len >= 0 && (size_t)len < sizeof text)
        snprintf(text + len, sizeof text - (size_t)len, " (and %llu more like this)",
                 (unsigned long long)held_n);
    emit(level, len >= 0 ? text : fmt);
    errno = saved;
}

void log_write(enum log_level level, const char *fmt, ...)
{
    if (level > sink.level)
        return;
    va_list args;
    va_start(args, fmt);
    emit_args(level, 0, fmt, args);
    va_end(args);
}

void log_limited(struct log_rate *rate, enum log_level level, const char *fmt, ...)
{
    if (level > sink.level)
        return;
    uint64_t now_ms = clock_mono_ms() + 1; /* never 0, which says that there was no line yet */
    if (rate->last_ms && now_ms - rate->last_ms < 1000) {
        rate->held_n++;
        return;
    }
    va_list args;
    va_start(args, fmt);
    emit_args(level, rate->held_n, fmt, args);
    va_end(args);
    rate->last_ms = now_ms;
    rate->held_n = 0;
}

void log_fatal(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    emit_args(LOG_ERROR, 0, fmt, args);
    va_end(args);
    abort();
}

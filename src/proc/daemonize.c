/* Leaving the terminal at `start -d`, while whoever called waits for how the start went. */
#include "proc/daemonize.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "proc/exit_code.h"
#include "proc/pidfile.h"

enum { LOG_TAIL_BYTES = 16384, REPORT_MAX_BYTES = 65536 };

static int redirect(const char *stdout_file)
{
    int rc = pidfile_make_folder(stdout_file, 0755);
    if (rc < 0)
        return rc;
    int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    rc = null_fd < 0 ? -errno : 0;
    int out_fd = log_open_file(stdout_file);
    if (rc == 0 && out_fd < 0)
        rc = out_fd;
    if (rc == 0 && (dup2(null_fd, STDIN_FILENO) < 0 || dup2(out_fd, STDOUT_FILENO) < 0 ||
                    dup2(out_fd, STDERR_FILENO) < 0))
        rc = -errno;
    if (null_fd > STDERR_FILENO)
        close(null_fd);
    if (out_fd > STDERR_FILENO)
        close(out_fd);
    return rc;
}

int daemonize_fork(struct daemonize *d, const char *stdout_file)
{
    int report[2];
    if (pipe2(report, O_CLOEXEC) < 0)
        return -errno;
    fflush(NULL); /* else both processes would print what is buffered now */
    pid_t pid = fork();
    if (pid < 0) {
        int rc = -errno;
        close(report[0]);
        close(report[1]);
        return rc;
    }
    if (pid > 0) {
        close(report[1]);
        d->report_fd = report[0];
        return 1;
    }
    close(report[0]);
    d->report_fd = report[1];
    setsid();
    return redirect(stdout_file);
}

static void show_log(const char *log_file, off_t offset)
{
    char bytes[LOG_TAIL_BYTES];
    struct stat now;
    int fd = open(log_file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fstat(fd, &now) == 0 && now.st_size > offset + (off_t)sizeof bytes)
        offset = now.st_size - (off_t)sizeof bytes;
    ssize_t n = pread(fd, bytes, sizeof bytes, offset);
    if (n > 0) {
        fprintf(stderr, "%s says:\n", log_file);
        fwrite(bytes, 1, (size_t)n, stderr);
    }
    close(fd);
}

/* The report is text, then one byte: the exit status. A server that dies before sends no byte. */
int daemonize_wait(struct daemonize *d, const char *log_file, off_t log_offset)
{
    struct buf report = {0};
    int exit_code = EXIT_CODE_FAILED;
    while (report.len < REPORT_MAX_BYTES) {
        ssize_t n = read(d->report_fd, buf_reserve(&report, 4096), 4096);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        buf_commit(&report, (size_t)n);
    }
    close(d->report_fd);
    if (report.len > 0) {
        exit_code = report.at[report.len - 1];
        fwrite(report.at, 1, report.len - 1, stderr);
    }
    buf_fini(&report);
    if (exit_code != EXIT_CODE_OK)
        show_log(log_file, log_offset);
    return exit_code;
}

void daemonize_report(struct daemonize *d, struct span text, int exit_code)
{
    struct buf report = {0};
    if (d->report_fd < 0)
        return;
    buf_put_span(&report, text);
    buf_putc(&report, (uint8_t)exit_code);
    /* The caller may be gone (Ctrl+C while it waited): nobody is left to tell then. */
    ssize_t n = write(d->report_fd, report.at, report.len);
    (void)n;
    buf_fini(&report);
    close(d->report_fd);
    d->report_fd = -1;
}

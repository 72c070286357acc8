/* The pid file: names the master and, by a lock on it, lets only one server run per config. */
#include "proc/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

enum { LOCK_WAIT_MS = 100, LOCK_PAUSE_MS = 5 };

int pidfile_make_folder(const char *path, mode_t mode)
{
    char *copy = mem_strdup(path);
    int rc = 0;
    for (char *slash = strchr(copy + 1, '/'); slash && rc == 0; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, mode) < 0 && errno != EEXIST)
            rc = -errno;
        *slash = '/';
    }
    mem_free(copy);
    return rc;
}

static pid_t read_pid(int fd)
{
    char text[32] = {0};
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    long pid = n > 0 ? strtol(text, NULL, 10) : 0;
    return pid > 0 && pid <= INT_MAX ? (pid_t)pid : 0;
}

/* Between open and lock the previous holder may have removed the file: then the lock is on a file
 * that nobody else can find. */
static bool is_still_there(const char *path, int fd)
{
    struct stat by_path, by_fd;
    return stat(path, &by_path) == 0 && fstat(fd, &by_fd) == 0 && by_path.st_ino == by_fd.st_ino &&
           by_path.st_dev == by_fd.st_dev;
}

/* Not at the first refusal: pidfile_holder() holds it for a moment, too. */
static int lock(int fd)
{
    for (int waited_ms = 0;; waited_ms += LOCK_PAUSE_MS) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return 0;
        if (errno != EWOULDBLOCK)
            return -errno;
        if (waited_ms >= LOCK_WAIT_MS)
            return -EEXIST;
        usleep(LOCK_PAUSE_MS * 1000);
    }
}

int pidfile_open(const char *path, pid_t *holder)
{
    int rc = pidfile_make_folder(path, 0755);
    if (rc < 0)
        return rc;
    for (;;) {
        /* In a folder that others may write to, a link could point at any file of ours. */
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (fd < 0)
            return -errno;
        rc = lock(fd);
        if (rc < 0) {
            *holder = read_pid(fd);
            close(fd);
            return rc;
        }
        if (is_still_there(path, fd))
            return fd;
        close(fd);
    }
}

int pidfile_write(int fd, pid_t pid)
{
    char text[32];
    int len = snprintf(text, sizeof text, "%d\n", (int)pid);
    if (ftruncate(fd, 0) < 0)
        return -errno;
    ssize_t n = pwrite(fd, text, (size_t)len, 0);
    if (n < 0)
        return -errno;
    return n == len ? 0 : -ENOSPC;
}

void pidfile_close(const char *path, int fd, bool is_removed)
{
    if (fd < 0)
        return;
    if (is_removed)
        unlink(path);
    close(fd);
}

pid_t pidfile_holder(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    pid_t pid = 0;
    if (flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
        pid = read_pid(fd);
        if (pid == 0)
            pid = -1;
    }
    close(fd);
    return pid;
}

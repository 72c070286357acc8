/* Which files a process has open, as /proc tells. */
#include "support/files.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FDS_MAX = 256, NAME_MAX_BYTES = 256 };

/* "pipe:[123]" or a path. false: there is no such descriptor. */
static bool file_of(pid_t pid, int fd, char out[NAME_MAX_BYTES])
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, fd);
    ssize_t len = readlink(path, out, NAME_MAX_BYTES - 1);
    out[len > 0 ? len : 0] = '\0';
    return len > 0;
}

int files_named_n(pid_t pid, const char *name)
{
    char file[NAME_MAX_BYTES];
    int n = 0;
    for (int fd = STDERR_FILENO + 1; fd < FDS_MAX; fd++)
        n += file_of(pid, fd, file) && strcmp(file, name) == 0;
    return n;
}

static bool is_pipe_or_socket(const char *file)
{
    return strncmp(file, "pipe:", 5) == 0 || strncmp(file, "socket:", 7) == 0;
}

int files_shared_n(pid_t pid, pid_t master)
{
    char file[NAME_MAX_BYTES];
    int n = 0;
    for (int fd = STDERR_FILENO + 1; fd < FDS_MAX; fd++)
        n += file_of(pid, fd, file) && is_pipe_or_socket(file) && files_named_n(master, file) > 0 &&
             files_named_n(getpid(), file) == 0;
    return n;
}

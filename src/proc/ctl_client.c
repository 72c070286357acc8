/* The control socket, the command's side: sends one line, prints the answer. */
#include "proc/ctl_client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"

static int dial(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof at.sun_path)
        return -ENAMETOOLONG;
    memcpy(at.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)&at, sizeof at) < 0) {
        int rc = -errno;
        close(fd);
        return rc;
    }
    return fd;
}

/* Prints the complete lines but keeps the last one, which is the exit status if nothing follows. */
static void print_all_but_last(struct buf *answer, FILE *out)
{
    size_t end = answer->len;
    if (end > 0 && answer->at[end - 1] == '\n')
        end--;
    while (end > 0 && answer->at[end - 1] != '\n')
        end--;
    if (end == 0)
        return;
    fwrite(answer->at, 1, end, out);
    fflush(out);
    buf_consume(answer, end);
}

static int read_answer(int fd, int silence_ms, struct buf *answer, FILE *out)
{
    for (;;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int ready = poll(&wait, 1, silence_ms);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready == 0)
            return -ETIMEDOUT;
        ssize_t n = ready < 0 ? -1 : read(fd, buf_reserve(answer, 4096), 4096);
        if (n < 0)
            return -errno;
        if (n == 0)
            return 0;
        buf_commit(answer, (size_t)n);
        print_all_but_last(answer, out);
    }
}

static int exit_status_of(struct buf *answer, FILE *out)
{
    static const char word[] = "exit ";
    uint64_t exit_code;
    struct span last = span_trim(buf_span(answer));
    if (last.len > strlen(word) && span_eq(span_of(last.at, strlen(word)), span_str(word)) &&
        span_to_u64(span_skip(last, strlen(word)), &exit_code) && exit_code <= UINT8_MAX)
        return (int)exit_code;
    fputs(buf_cstr(answer), out);
    return -EPIPE;
}

static int send_line(int fd, const char *command)
{
    struct buf line = {0};
    buf_printf(&line, "%s\n", command);
    ssize_t n = send(fd, line.at, line.len, MSG_NOSIGNAL);
    int rc = n < 0 ? -errno : n == (ssize_t)line.len ? 0 : -EPIPE;
    buf_fini(&line);
    return rc;
}

int ctl_call(const char *socket_path, const char *command, int silence_ms, FILE *out)
{
    struct buf answer = {0};
    int fd = dial(socket_path);
    if (fd < 0)
        return fd;
    int rc = send_line(fd, command);
    if (rc == 0)
        rc = read_answer(fd, silence_ms, &answer, out);
    if (rc == 0)
        rc = exit_status_of(&answer, out);
    buf_fini(&answer);
    close(fd);
    return rc;
}

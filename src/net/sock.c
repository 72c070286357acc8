/* Sockets: opening listeners, connecting, options. The only file that names setsockopt(). */
#include "net/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Keep-alive finds peers that vanished without a FIN: after a minute of silence, three probes. */
enum { KEEPALIVE_IDLE_S = 60, KEEPALIVE_INTERVAL_S = 20, KEEPALIVE_PROBES_N = 3 };

/* Keep-alive does not look while bytes are on their way; the kernel would try for a quarter of an
 * hour, each time after twice the pause, up to two minutes. */
enum { UNACKED_MAX_MS = 60 * 1000, RESEND_MS = 1000 };

#ifndef TCP_RTO_MAX_MS
#define TCP_RTO_MAX_MS 44 /* linux/tcp.h of Linux 6.15 */
#endif

/* With a limit of TCP_USER_TIMEOUT that, and not the number of probes, decides (tcp(7)). */
enum { VANISHED_MS = 8 * 1000, VANISHED_IDLE_S = 3, VANISHED_INTERVAL_S = 1 };

enum { UNSENT_MAX_BYTES = 128 * 1024 };

static int set_int(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) < 0 ? -errno : 0;
}

static int open_socket(int family)
{
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return fd < 0 ? -errno : fd;
}

static int close_with(int fd, int rc)
{
    close(fd);
    return rc;
}

int sock_listen(const struct addr *at, bool is_shared, int backlog)
{
    struct sockaddr_storage sa;
    socklen_t len = addr_to_sockaddr(at, &sa);
    int fd = open_socket(sa.ss_family);
    if (fd < 0)
        return fd;
    int rc = set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (rc == 0 && is_shared)
        rc = set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (rc < 0)
        return close_with(fd, rc);
    sock_tune(fd); /* inherited by what is accepted, which saves five calls per connection */
    if (bind(fd, (struct sockaddr *)&sa, len) < 0 || listen(fd, backlog) < 0)
        return close_with(fd, -errno);
    return fd;
}

int sock_listen_udp(const struct addr *at, bool is_shared)
{
    struct sockaddr_storage sa;
    socklen_t len = addr_to_sockaddr(at, &sa);
    int fd = socket(sa.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int rc = is_shared ? set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1) : 0;
    if (rc < 0)
        return close_with(fd, rc);
    if (bind(fd, (struct sockaddr *)&sa, len) < 0)
        return close_with(fd, -errno);
    return fd;
}

static bool is_unix(int fd)
{
    struct addr at;
    return sock_local(fd, &at) == 0 && at.family == AF_UNIX;
}

/* A filter of a TCP socket sees the TCP header; the flags are its byte 13 (RFC 9293 §3.1). What is
 * accepted inherits the filter, and never gets such a segment. */
int sock_shun(int fd)
{
    enum { FLAGS_AT = 13, SYN = 0x02, ACK = 0x10 };
    struct sock_filter drop_first_segments[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FLAGS_AT),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, SYN | ACK),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYN, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
    };
    const struct sock_fprog program = {.len =
                                           sizeof drop_first_segments / sizeof(struct sock_filter),
                                       .filter = drop_first_segments};
    if (is_unix(fd))
        return 0;
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0 ? -errno : 0;
}

bool sock_is_awaited(int fd)
{
    struct pollfd acceptable = {.fd = fd, .events = POLLIN};
    return poll(&acceptable, 1, 0) > 0 && acceptable.revents == POLLIN;
}

static bool is_listening(int fd)
{
    int answer = 0;
    socklen_t len = sizeof answer;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &answer, &len) == 0 && answer;
}

/* Linux takes a listening TCP socket back to a bound one here. Others refuse, or stop for good; and
 * a bound one would stop for good, too. */
void sock_unlisten(int fd)
{
    if (!is_unix(fd) && is_listening(fd))
        (void)shutdown(fd, SHUT_RD);
}

int sock_listen_again(int fd)
{
    (void)set_int(fd, SOL_SOCKET, SO_DETACH_FILTER, 0); /* of sock_shun() */
    return listen(fd, SOMAXCONN) < 0 ? -errno : 0;
}

static int unix_addr(const char *path, struct sockaddr_un *out)
{
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof out->sun_path)
        return -ENAMETOOLONG;
    memcpy(out->sun_path, path, len);
    return 0;
}

int sock_connect_unix(const char *path)
{
    struct sockaddr_un sa;
    int rc = unix_addr(path, &sa);
    if (rc < 0)
        return rc;
    int fd = open_socket(AF_UNIX);
    if (fd < 0)
        return fd;
    if (connect(fd, (struct sockaddr *)&sa, sizeof sa) < 0)
        return close_with(fd, -errno);
    return fd;
}

/* A socket file that nobody listens on any more, left by a process that was killed. */
static bool is_dead_socket(const char *path)
{
    struct stat st;
    if (lstat(path, &st) < 0 || !S_ISSOCK(st.st_mode))
        return false;
    int fd = sock_connect_unix(path);
    if (fd >= 0)
        close(fd);
    return fd == -ECONNREFUSED;
}

int sock_listen_unix(const char *path, mode_t mode)
{
    struct sockaddr_un sa;
    int rc = unix_addr(path, &sa);
    if (rc < 0)
        return rc;
    int fd = open_socket(AF_UNIX);
    if (fd < 0)
        return fd;
    if (is_dead_socket(path))
        unlink(path);
    if (bind(fd, (struct sockaddr *)&sa, sizeof sa) < 0)
        return close_with(fd, -errno);
    /* Nobody can connect before listen(), so there is no moment with other rights. */
    if (chmod(path, mode) < 0 || listen(fd, SOMAXCONN) < 0) {
        rc = -errno;
        unlink(path);
        return close_with(fd, rc);
    }
    return fd;
}

int sock_connect(const struct addr *to)
{
    struct sockaddr_storage sa;
    socklen_t len = addr_to_sockaddr(to, &sa);
    int fd = open_socket(sa.ss_family);
    if (fd < 0)
        return fd;
    sock_tune(fd);
    sock_tune_link(fd);
    if (connect(fd, (struct sockaddr *)&sa, len) < 0 && errno != EINPROGRESS)
        return close_with(fd, -errno);
    return fd;
}

int sock_error(int fd)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        return -errno;
    return -error;
}

/* On a unix socket these options do not exist; a refusal costs nothing but the option. */
void sock_tune(int fd)
{
    /* Whole turns are gathered before they are written: waiting for more would only add delay. */
    (void)set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    (void)set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    (void)set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
    (void)set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
    (void)set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES_N);
}

void sock_limit_unsent(int fd)
{
    (void)set_int(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_MAX_BYTES);
}

void sock_tune_link(int fd)
{
    (void)set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, UNACKED_MAX_MS);
    (void)set_int(fd, IPPROTO_TCP, TCP_RTO_MAX_MS, RESEND_MS);
}

void sock_watch_peer(int fd)
{
    (void)set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, VANISHED_MS);
    (void)set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, VANISHED_IDLE_S);
    (void)set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, VANISHED_INTERVAL_S);
}

static int name_of(int fd, struct addr *out,
                   int (*ask)(int fd, struct sockaddr *sa, socklen_t *len))
{
    struct sockaddr_storage sa = {0};
    socklen_t len = sizeof sa;
    if (ask(fd, (struct sockaddr *)&sa, &len) < 0)
        return -errno;
    addr_from_sockaddr((struct sockaddr *)&sa, out);
    return 0;
}

int sock_local(int fd, struct addr *out)
{
    return name_of(fd, out, getsockname);
}

int sock_peer(int fd, struct addr *out)
{
    return name_of(fd, out, getpeername);
}

int sock_queue(int fd, int *unread, int *unsent)
{
    *unread = *unsent = 0;
    if (ioctl(fd, SIOCINQ, unread) < 0 || ioctl(fd, SIOCOUTQ, unsent) < 0)
        return -errno;
    return 0;
}

int sock_raise_files(unsigned long want, unsigned long *got)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return -errno;
    struct rlimit raised = {.rlim_cur = want, .rlim_max = limit.rlim_max};
    if (raised.rlim_max < want)
        raised.rlim_max = want; /* works for root only */
    if (limit.rlim_cur < want && setrlimit(RLIMIT_NOFILE, &raised) < 0) {
        raised.rlim_cur = raised.rlim_max = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &raised) < 0)
            return -errno;
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return -errno;
    *got = limit.rlim_cur;
    return 0;
}

int sock_backlog_max(void)
{
    char text[16] = "";
    int fd = open("/proc/sys/net/core/somaxconn", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof(text) - 1);
    close(fd);
    return n > 0 ? atoi(text) : 0;
}

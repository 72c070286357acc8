/* The hop: a second process behind the floor that sends every message back over TCP. */
#include "bench/hop.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEAD = 8, IN_BYTES = 1 << 20 };

void hop_put(struct outbuf *out, uint32_t tag, const uint8_t *payload, size_t len)
{
    uint8_t *to = outbuf_reserve(out, HEAD + len);
    uint32_t n = (uint32_t)len;
    memcpy(to, &n, sizeof n);
    memcpy(to + 4, &tag, sizeof tag);
    memcpy(to + HEAD, payload, len);
    out->len += HEAD + len;
}

size_t hop_get(const uint8_t *at, size_t len, struct hop_message *out)
{
    uint32_t n;
    if (len < HEAD)
        return 0;
    memcpy(&n, at, sizeof n);
    if (len < HEAD + n)
        return 0;
    memcpy(&out->tag, at + 4, sizeof out->tag);
    out->payload = at + HEAD;
    out->len = n;
    return HEAD + n;
}

static void send_all(struct outbuf *out, int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    while (outbuf_pending(out) > 0) {
        if (outbuf_send(out, fd) < 0)
            exit(0);
        if (outbuf_pending(out) > 0)
            poll(&p, 1, -1);
    }
}

/* Whatever one read gives is handled and leaves in one write, unless every message shall leave
 * alone. */
static _Noreturn void serve(int fd, bool is_gathering)
{
    static uint8_t in[IN_BYTES];
    struct outbuf out = {0};
    size_t have = 0;
    for (;;) {
        ssize_t n = recv(fd, in + have, sizeof in - have, 0);
        if (n <= 0)
            exit(0);
        have += (size_t)n;
        size_t at = 0;
        struct hop_message m;
        for (size_t used; (used = hop_get(in + at, have - at, &m)) > 0; at += used) {
            hop_put(&out, m.tag, m.payload, m.len);
            if (!is_gathering)
                send_all(&out, fd);
        }
        memmove(in, in + at, have - at);
        have -= at;
        send_all(&out, fd);
    }
}

static int dial(const struct sockaddr_in *to)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)to, sizeof *to) < 0) {
        perror("hop");
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    return fd;
}

int hop_start(bool is_gathering)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof here;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&here, sizeof here) < 0 ||
        listen(listener, 1) < 0 || getsockname(listener, (struct sockaddr *)&here, &len) < 0) {
        perror("hop");
        return -1;
    }
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        int fd = accept(listener, NULL, NULL);
        close(listener);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        serve(fd, is_gathering);
    }
    int fd = child > 0 ? dial(&here) : -1;
    close(listener);
    return fd;
}

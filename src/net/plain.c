/* The transport without encryption: the socket itself. */
#include <errno.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include "net/loop.h"
#include "net/transport.h"

static int plain_handshake(void *state, int fd, unsigned *wants)
{
    return 0;
}

static ssize_t plain_read(void *state, int fd, uint8_t *at, size_t len, unsigned *wants)
{
    ssize_t n;
    do
        n = recv(fd, at, len, 0);
    while (n < 0 && errno == EINTR);
    *wants = LOOP_READ;
    return n < 0 ? -errno : n;
}

/* One run is the usual case, and send() copies no message header into the kernel. */
static ssize_t send_parts(int fd, const struct iovec *iov, int iov_n)
{
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)iov,
                             .msg_iovlen = (size_t)iov_n};
    return sendmsg(fd, &message, MSG_NOSIGNAL);
}

static ssize_t plain_writev(void *state, int fd, const struct iovec *iov, int iov_n,
                            unsigned *wants)
{
    ssize_t n;
    do
        n = iov_n == 1 ? send(fd, iov->iov_base, iov->iov_len, MSG_NOSIGNAL)
                       : send_parts(fd, iov, iov_n);
    while (n < 0 && errno == EINTR);
    *wants = LOOP_WRITE;
    return n < 0 ? -errno : n;
}

static ssize_t plain_send_file(void *state, int fd, int file_fd, uint64_t off, size_t len,
                               unsigned *wants)
{
    off_t at = (off_t)off; /* a peer that left would be SIGPIPE, which net/sig.c ignores */
    ssize_t n;
    do
        n = sendfile(fd, file_fd, &at, len);
    while (n < 0 && errno == EINTR);
    *wants = LOOP_WRITE;
    return n < 0 ? -errno : n;
}

static void plain_shutdown(void *state, int fd)
{
    /* Fails only if the peer has gone already; then there is nobody to tell. */
    (void)shutdown(fd, SHUT_WR);
}

static void plain_free(void *state)
{
}

const struct transport plain_transport = {
    .name = "tcp",
    .handshake = plain_handshake,
    .read = plain_read,
    .writev = plain_writev,
    .send_file = plain_send_file,
    .shutdown = plain_shutdown,
    .free = plain_free,
};

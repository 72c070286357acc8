/* One connection of the load generator. */
#include "bench/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int dial_tls(struct client *c, SSL_CTX *tls)
{
    c->tls = SSL_new(tls);
    if (!c->tls || SSL_set_fd(c->tls, c->fd) != 1 || SSL_connect(c->tls) != 1)
        return -EPROTO;
    SSL_set_mode(c->tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return 0;
}

/* flags: SOCK_NONBLOCK, or 0 to wait. */
static int open_socket(struct client *c, uint16_t port, unsigned source, int flags)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in from = {.sin_family = AF_INET};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    from.sin_addr.s_addr = htonl((INADDR_LOOPBACK & 0xffffff00u) | (source & 0xff));
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    if (c->fd < 0)
        return -errno;
    /* The port is then chosen by connect(), which knows the destination and finds one at once. */
    setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (bind(c->fd, (struct sockaddr *)&from, sizeof from) < 0 ||
        (connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS))
        return -errno;
    return 0;
}

int client_begin(struct client *c, uint16_t port, unsigned source)
{
    int rc = open_socket(c, port, source, SOCK_NONBLOCK);
    if (rc < 0)
        client_close(c);
    return rc;
}

int client_dial(struct client *c, uint16_t port, unsigned source, SSL_CTX *tls)
{
    int rc = open_socket(c, port, source, 0);
    if (rc == 0 && tls)
        rc = dial_tls(c, tls);
    if (rc == 0 && fcntl(c->fd, F_SETFL, O_NONBLOCK) < 0)
        rc = -errno;
    if (rc < 0)
        client_close(c);
    return rc;
}

static ssize_t read_tls(struct client *c, uint8_t *to, size_t bytes)
{
    size_t have = 0;
    while (have < bytes) { /* a record at a time; what stays inside OpenSSL wakes nobody */
        int n = SSL_read(c->tls, to + have, (int)(bytes - have));
        if (n <= 0) {
            int why = SSL_get_error(c->tls, n);
            return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? (ssize_t)have : -1;
        }
        have += (size_t)n;
    }
    return (ssize_t)have;
}

ssize_t client_read(struct client *c, uint8_t *to, size_t bytes)
{
    if (c->tls && !c->is_follower)
        return read_tls(c, to, bytes);
    ssize_t n = recv(c->fd, to, bytes, 0);
    if (n > 0)
        return n;
    return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

int client_follow(struct client *c)
{
    if (!c->tls || SSL_version(c->tls) != TLS1_3_VERSION || SSL_has_pending(c->tls) ||
        c->frame_rest.len > 0)
        return -1;
    c->is_follower = true;
    return 0;
}

static int send_tls(struct client *c)
{
    while (outbuf_pending(&c->out) > 0) {
        int n = SSL_write(c->tls, c->out.at + c->out.sent, (int)outbuf_pending(&c->out));
        if (n <= 0) {
            int why = SSL_get_error(c->tls, n);
            return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : -1;
        }
        c->out.sent += (size_t)n;
    }
    return 0;
}

int client_send(struct client *c)
{
    if (c->tls)
        return send_tls(c);
    return outbuf_send(&c->out, c->fd) < 0 ? -1 : 0;
}

void client_close(struct client *c)
{
    SSL_free(c->tls);
    c->tls = NULL;
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    c->state = CLIENT_GONE;
    outbuf_free(&c->out);
    free(c->frame_rest.at);
    free(c->unit_rest.at);
    c->frame_rest = c->unit_rest = (struct rest){0};
}

void client_close_hard(struct client *c)
{
    if (c->fd >= 0)
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
    client_close(c);
}

void rest_keep(struct rest *r, const uint8_t *at, size_t len)
{
    if (len > r->capacity) {
        free(r->at);
        r->capacity = len * 2 > 256 ? len * 2 : 256;
        r->at = malloc(r->capacity);
        if (!r->at)
            abort();
    }
    if (len > 0)
        memcpy(r->at, at, len);
    r->len = len;
}

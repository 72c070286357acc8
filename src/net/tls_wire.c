/* The socket below a TLS connection: the records of one flush leave in one send.
 *
 * OpenSSL's own BIO of a socket makes one system call per record, and one more to learn that there
 * is nothing to read. Order is kept: while there is a rest, nothing else is sent. */
#include "net/tls_wire.h"

#include <errno.h>
#include <openssl/bio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"

/* Bytes sent, or -errno. */
static ssize_t send_some(int fd, const uint8_t *at, size_t len)
{
    ssize_t n;
    do
        n = send(fd, at, len, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

static void keep_rest(struct tls_wire *w, const uint8_t *at, size_t len)
{
    w->rest = mem_alloc(len);
    w->rest_off = 0;
    w->rest_len = len;
    memcpy(w->rest, at, len);
}

static void drop_rest(struct tls_wire *w)
{
    mem_free(w->rest);
    w->rest = NULL;
    w->rest_off = w->rest_len = 0;
}

static int send_rest(struct tls_wire *w)
{
    while (w->rest_off < w->rest_len) {
        ssize_t n = send_some(w->fd, w->rest + w->rest_off, w->rest_len - w->rest_off);
        if (n < 0)
            return (int)n;
        w->rest_off += (size_t)n;
    }
    drop_rest(w);
    return 0;
}

void tls_wire_gather(struct tls_wire *w, struct tls_gather *gather)
{
    gather->len = 0;
    w->gather = gather;
}

int tls_wire_flush(struct tls_wire *w)
{
    struct tls_gather *gather = w->gather;
    w->gather = NULL;
    if (!gather)
        return send_rest(w);
    size_t sent = 0;
    while (sent < gather->len) {
        ssize_t n = send_some(w->fd, gather->at + sent, gather->len - sent);
        if (n == -EAGAIN)
            keep_rest(w, gather->at + sent, gather->len - sent);
        if (n < 0)
            return (int)n;
        sent += (size_t)n;
    }
    return 0;
}

/* ---- what OpenSSL asks for ---- */

static int answer_again(BIO *bio, int flag)
{
    BIO_set_flags(bio, flag | BIO_FLAGS_SHOULD_RETRY);
    return -1;
}

static int put(struct tls_gather *gather, BIO *bio, const char *at, size_t len)
{
    size_t room = sizeof gather->at - gather->len;
    size_t n = len < room ? len : room;
    if (n == 0)
        return answer_again(bio, BIO_FLAGS_WRITE);
    memcpy(gather->at + gather->len, at, n);
    gather->len += n;
    return (int)n;
}

static int on_write(BIO *bio, const char *at, int len)
{
    struct tls_wire *w = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (len <= 0)
        return 0;
    if (w->gather)
        return put(w->gather, bio, at, (size_t)len);
    ssize_t n = send_rest(w);
    if (n == 0)
        n = send_some(w->fd, (const uint8_t *)at, (size_t)len);
    if (n == -EAGAIN)
        return answer_again(bio, BIO_FLAGS_WRITE);
    errno = n < 0 ? (int)-n : errno;
    return n < 0 ? -1 : (int)n;
}

static int on_read(BIO *bio, char *at, int len)
{
    struct tls_wire *w = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (len <= 0)
        return 0;
    if (w->is_drained)
        return answer_again(bio, BIO_FLAGS_READ);
    ssize_t n;
    do
        n = recv(w->fd, at, (size_t)len, 0);
    while (n < 0 && errno == EINTR);
    w->is_at_end = n == 0;
    w->is_drained = n > 0 && n < len;
    if (n < 0 && errno == EAGAIN)
        return answer_again(bio, BIO_FLAGS_READ);
    return (int)n;
}

static long on_control(BIO *bio, int what, long number, void *at)
{
    const struct tls_wire *w = BIO_get_data(bio);
    switch (what) {
    case BIO_CTRL_EOF:
        return w->is_at_end;
    case BIO_CTRL_FLUSH: /* OpenSSL gives up without it */
        return 1;
    default:
        return 0;
    }
}

BIO_METHOD *tls_wire_method_new(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "gathering socket");
    if (!method)
        return NULL;
    BIO_meth_set_write(method, on_write);
    BIO_meth_set_read(method, on_read);
    BIO_meth_set_ctrl(method, on_control);
    return method;
}

bool tls_wire_open(struct tls_wire *w, SSL *ssl, BIO_METHOD *method, int fd)
{
    BIO *bio = BIO_new(method);
    if (!bio)
        return false;
    w->fd = fd;
    w->is_open = true;
    BIO_set_data(bio, w);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    return true;
}

void tls_wire_close(struct tls_wire *w)
{
    drop_rest(w);
}

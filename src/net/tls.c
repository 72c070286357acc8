/* TLS 1.2 and 1.3, as a connection's transport. */
#include "net/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gw/err.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"
#include "net/sock.h"
#include "net/tls_internal.h"

struct tls {
    SSL *ssl;
    struct tls_context *ctx;
    struct tls_wire wire;
    size_t owed; /* bytes of output that are encrypted, but not all sent: not yet told as taken */
    int broken;  /* the error that ended it, after which OpenSSL may not be asked again; or 0 */
    bool is_http;
    bool is_dialler;
};

void *tls_new(struct tls_context *ctx, bool is_http)
{
    SSL *ssl = SSL_new(ctx->pairs[0]);
    if (!ssl)
        return NULL;
    struct tls *t = mem_zalloc(sizeof *t);
    *t = (struct tls){.ssl = ssl, .ctx = tls_context_ref(ctx), .is_http = is_http};
    SSL_set_accept_state(ssl);
    SSL_set_app_data(ssl, is_http ? t : NULL); /* asked by choose_protocol() */
    return t;
}

/* RFC 6066 §3: addresses are no server names. */
static bool expect_host(SSL *ssl, const char *host)
{
    struct in_addr ip4;
    X509_VERIFY_PARAM *expected = SSL_get0_param(ssl);
    if (strchr(host, ':') || inet_pton(AF_INET, host, &ip4) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(expected, host) == 1;
    char name[TLSEXT_MAXLEN_host_name + 1]; /* OpenSSL's macro wants it writable */
    size_t len = strlen(host);
    if (len >= sizeof name)
        return false;
    memcpy(name, host, len + 1);
    return SSL_set_tlsext_host_name(ssl, name) == 1 && SSL_set1_host(ssl, name) == 1;
}

void *tls_new_dialler(struct tls_context *ctx, const char *host, bool is_insecure)
{
    SSL *ssl = SSL_new(ctx->pairs[0]);
    if (!ssl || !expect_host(ssl, host)) {
        SSL_free(ssl);
        return NULL;
    }
    struct tls *t = mem_zalloc(sizeof *t);
    *t = (struct tls){.ssl = ssl, .ctx = tls_context_ref(ctx), .is_dialler = true};
    SSL_set_verify(ssl, is_insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    SSL_set_connect_state(ssl);
    return t;
}

bool tls_is_resumed(const void *state)
{
    const struct tls *t = state;
    return SSL_session_reused(t->ssl) == 1;
}

/* What a call of OpenSSL that did not succeed means to a connection. */
static int failure(struct tls *t, int answer, unsigned *wants)
{
    int saved = errno;
    switch (SSL_get_error(t->ssl, answer)) {
    case SSL_ERROR_WANT_READ:
        *wants = LOOP_READ;
        return -EAGAIN;
    case SSL_ERROR_WANT_WRITE:
        *wants = LOOP_WRITE;
        return -EAGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return GW_ECLOSED; /* the peer's end of the stream; we may still write */
    case SSL_ERROR_SYSCALL:
        return t->broken = saved ? -saved : GW_ECLOSED;
    default:
        return t->broken = GW_EPROTO;
    }
}

/* ---- handshake ---- */

/* To a browser or proxy that was pointed at the wrong port: it shows this to its user. */
static void answer_in_http(int fd)
{
    static const char answer[] = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n"
                                 "Connection: close\r\n\r\n"
                                 "This is a TLS port: use https:// or wss:// to reach it.\n";
    (void)send(fd, answer, sizeof answer - 1,
               MSG_NOSIGNAL); /* whoever cannot take it goes without */
}

/* What OpenSSL's first error means, in words for the log. */
static const char *reason_of(const struct tls *t)
{
    unsigned long error = ERR_peek_error();
    const char *reason = ERR_reason_error_string(error);
    switch (ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0) {
    case SSL_R_HTTP_REQUEST:
        return "it speaks HTTP without TLS";
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_PACKET_LENGTH_TOO_LONG: /* what other protocols begin with, read as a record */
        return "it speaks without TLS, or too old a version";
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
        return X509_verify_cert_error_string(SSL_get_verify_result(t->ssl));
    default:
        return reason ? reason : "handshake failed";
    }
}

static void tell(struct tls *t, int fd, const char *what)
{
    static struct log_rate rates[2];
    struct addr peer = {0};
    char from[ADDR_TEXT_MAX];
    (void)sock_peer(fd, &peer); /* it may have left already */
    addr_text(&peer, from);
    log_limited(&rates[t->is_dialler], t->is_dialler ? LOG_WARN : LOG_INFO, "%s: %s: %s", from,
                what, reason_of(t));
}

/* OpenSSL has sent its alert, if any. Peers that just leave are no news: port scanners and health
 * checks do that. */
static void see_off(struct tls *t, int fd, int rc)
{
    if (rc != GW_EPROTO)
        return;
    tell(t, fd, "no TLS connection");
    if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST && t->is_http)
        answer_in_http(fd);
    (void)shutdown(fd, SHUT_WR);
}

static bool is_wired(struct tls *t, int fd)
{
    if (SSL_get_rbio(t->ssl))
        return true;
    return t->ctx->wire ? tls_wire_open(&t->wire, t->ssl, t->ctx->wire, fd)
                        : SSL_set_fd(t->ssl, fd) == 1;
}

static int tls_handshake(void *state, int fd, unsigned *wants)
{
    struct tls *t = state;
    ERR_clear_error();
    if (!is_wired(t, fd))
        return -ENOMEM;
    t->wire.is_drained = false;
    int answer = SSL_do_handshake(t->ssl);
    if (answer == 1)
        return 0;
    int rc = failure(t, answer, wants);
    if (rc != -EAGAIN)
        see_off(t, fd, rc);
    ERR_clear_error();
    return rc;
}

/* ---- input ---- */

static ssize_t tls_read(void *state, int fd, uint8_t *at, size_t len, unsigned *wants)
{
    struct tls *t = state;
    size_t got = 0;
    int rc = t->broken;
    *wants = LOOP_READ;
    t->wire.is_drained = false;
    while (rc == 0 && got < len) {
        size_t n = 0;
        ERR_clear_error();
        if (SSL_read_ex(t->ssl, at + got, len - got, &n) == 1)
            got += n;
        else
            rc = failure(t, 0, wants);
    }
    /* In TLS 1.3 whoever dials is ready before the other side has looked at its certificate. */
    if (rc == GW_EPROTO && t->is_dialler && ERR_peek_error() != 0)
        tell(t, fd, "TLS ended by the other side");
    ERR_clear_error();
    if (got > 0) {
        /* The end was read along with the last bytes and will not wake anybody again; a socket
         * that can be written to does. */
        if (rc != 0 && rc != -EAGAIN)
            *wants = LOOP_READ | LOOP_WRITE;
        return (ssize_t)got;
    }
    return rc == GW_ECLOSED ? 0 : rc;
}

/* ---- output ---- */

/* A place in the pieces that are to be written. */
struct pieces {
    const struct iovec *iov;
    int iov_n;
    size_t off; /* into the first */
};

static void skip(struct pieces *p, size_t n)
{
    p->off += n;
    while (p->iov_n > 0 && p->off >= p->iov->iov_len) {
        p->off -= p->iov->iov_len;
        p->iov++;
        p->iov_n--;
    }
}

/* The next record's content: as much as fits, gathered if the first piece is shorter. After -EAGAIN
 * OpenSSL wants to see the same bytes again, at least as many (SSL_write(3)): that holds, because
 * output that was not taken stays where it is in the queue, and the queue only grows. */
static struct span next_record(struct tls *t, const struct pieces *p)
{
    if (p->iov_n == 0)
        return span_of(NULL, 0);
    const uint8_t *first = (const uint8_t *)p->iov->iov_base + p->off;
    size_t first_len = p->iov->iov_len - p->off;
    if (first_len >= TLS_RECORD_MAX)
        return span_of(first, TLS_RECORD_MAX);
    if (p->iov_n == 1)
        return span_of(first, first_len);
    memcpy(t->ctx->scratch, first, first_len);
    size_t len = first_len;
    for (int i = 1; i < p->iov_n && len < TLS_RECORD_MAX; i++) {
        size_t room = TLS_RECORD_MAX - len;
        size_t n = p->iov[i].iov_len < room ? p->iov[i].iov_len : room;
        memcpy(t->ctx->scratch + len, p->iov[i].iov_base, n);
        len += n;
    }
    return span_of(t->ctx->scratch, len);
}

/* Returns how many bytes were taken, or the error. OpenSSL's list of errors is empty before, and
 * stays so while there is none. */
static ssize_t write_record(struct tls *t, struct span content, unsigned *wants)
{
    size_t n = 0;
    if (t->broken)
        return t->broken;
    if (SSL_write_ex(t->ssl, content.at, content.len, &n) == 1)
        return (ssize_t)n;
    return failure(t, 0, wants);
}

/* As many records as are sent together; one, when the kernel encrypts. Returns how many bytes they
 * took; the error of the one behind them comes back when it is tried again. */
static ssize_t write_records(struct tls *t, struct pieces *p, unsigned *wants)
{
    size_t taken = 0;
    for (int i = 0; i < (t->wire.gather ? TLS_GATHER_RECORDS : 1); i++) {
        struct span content = next_record(t, p);
        ssize_t n = content.len > 0 ? write_record(t, content, wants) : 0;
        if (n <= 0)
            return taken > 0 ? (ssize_t)taken : n;
        taken += (size_t)n;
        skip(p, (size_t)n);
    }
    return (ssize_t)taken;
}

static bool is_one_record(const struct pieces *p)
{
    size_t bytes = 0;
    for (int i = 0; i < p->iov_n && bytes <= TLS_RECORD_MAX + p->off; i++)
        bytes += p->iov[i].iov_len;
    return bytes <= TLS_RECORD_MAX + p->off;
}

/* One record alone is sent from where OpenSSL made it, which keeps what is left of it.
 *
 * What cannot be sent of several stays encrypted and is owed: the queue keeps it, and offers it
 * again, until the last byte has left. */
static ssize_t write_batch(struct tls *t, struct pieces *p, unsigned *wants)
{
    if (t->broken)
        return t->broken;
    if (t->wire.is_open && !is_one_record(p))
        tls_wire_gather(&t->wire, &t->ctx->gather);
    ssize_t n = write_records(t, p, wants);
    int rc = tls_wire_flush(&t->wire);
    if (rc == -EAGAIN && n > 0)
        t->owed = (size_t)n;
    else if (rc < 0 && rc != -EAGAIN)
        t->broken = rc;
    return rc < 0 ? rc : n;
}

static ssize_t tls_writev(void *state, int fd, const struct iovec *iov, int iov_n, unsigned *wants)
{
    struct tls *t = state;
    struct pieces rest = {.iov = iov, .iov_n = iov_n};
    *wants = LOOP_WRITE;
    ERR_clear_error();
    ssize_t n = tls_wire_flush(&t->wire); /* the rest of the last time */
    if (n < 0)
        return n == -EAGAIN ? n : (t->broken = (int)n);
    size_t written = t->owed;
    skip(&rest, t->owed);
    t->owed = 0;
    while ((n = write_batch(t, &rest, wants)) > 0)
        written += (size_t)n;
    return written > 0 ? (ssize_t)written : n;
}

static ssize_t tls_send_file(void *state, int fd, int file_fd, uint64_t off, size_t len,
                             unsigned *wants)
{
    struct tls *t = state;
    size_t sent = 0;
    ERR_clear_error();
    while (sent < len) {
        size_t want = len - sent < TLS_RECORD_MAX ? len - sent : TLS_RECORD_MAX;
        ssize_t n = pread(file_fd, t->ctx->scratch, want, (off_t)(off + sent));
        if (n < 0 && errno == EINTR)
            continue;
        if (n > 0)
            n = write_record(t, span_of(t->ctx->scratch, (size_t)n), wants);
        else if (n < 0)
            n = -errno;
        if (n <= 0)
            return sent > 0 ? (ssize_t)sent : n;
        sent += (size_t)n;
    }
    return (ssize_t)sent;
}

/* ---- end ---- */

static void tls_shutdown(void *state, int fd)
{
    struct tls *t = state;
    ERR_clear_error();
    if (!t->broken && SSL_is_init_finished(t->ssl))
        (void)SSL_shutdown(
            t->ssl); /* our close_notify (RFC 8446 §6.1); the peer's is not awaited */
    ERR_clear_error();
    (void)shutdown(fd, SHUT_WR);
}

static void tls_free(void *state)
{
    struct tls *t = state;
    /* RFC 8446 §6.1 and 4.6.1 do not tie resumption to a clean end; OpenSSL does unless it believes
     * in one. */
    if (!t->broken)
        SSL_set_shutdown(t->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(t->ssl);
    tls_wire_close(&t->wire);
    tls_context_unref(t->ctx);
    mem_free(t);
}

const struct transport tls_transport = {
    .name = "tls",
    .has_own_input = true,
    .held_max_bytes = TLS_GATHER_RECORDS * TLS_RECORD_MAX,
    .handshake = tls_handshake,
    .read = tls_read,
    .writev = tls_writev,
    .send_file = tls_send_file,
    .shutdown = tls_shutdown,
    .free = tls_free,
};

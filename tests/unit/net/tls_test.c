/* tls: OpenSSL's own client at the other end of a socket pair. */
#include "unit/net/conn_fixture.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <signal.h>

#include "net/tls.h"
#include "net/tls_conf.h"
#include "net/tls_pem.h"
#include "support/cert.h"
#include "support/tmpdir.h"

static const char SECRET[] = "0123456789abcdef0123456789abcdef";

static struct cert ca, first, second, visitor;

static struct tls_context *context(struct tls_setup more)
{
    const struct tls_pair pairs[] = {
        {span_str(first.cert_pem), span_str(first.key_pem)},
        {span_str(second.cert_pem), span_str(second.key_pem)},
    };
    struct tls_complaint complaint;
    more.pairs = pairs;
    more.pairs_n = ARRAY_LEN(pairs);
    more.ciphers = "ECDHE+AESGCM";
    more.ticket_secret = span_str(SECRET);
    struct tls_context *ctx = tls_context_new(&more, &complaint);
    if (!ctx)
        fail_msg("%s", complaint.text);
    return ctx;
}

/* ---- the client ---- */

static SSL *client_new(SSL_CTX *ctx, int fd, const char *host)
{
    SSL *ssl = SSL_new(ctx);
    assert_non_null(ssl);
    SSL_set_fd(ssl, fd);
    SSL_set_connect_state(ssl);
    if (host)
        SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                 (void *)(uintptr_t)host); /* the macro for it drops a const */
    return ssl;
}

static SSL_CTX *client_ctx(int version)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    assert_non_null(ctx);
    if (version) {
        SSL_CTX_set_min_proto_version(ctx, version);
        SSL_CTX_set_max_proto_version(ctx, version);
    }
    return ctx;
}

/* A connection over TLS whose other end waits in f->peer_fd. */
static void carry(struct fixture *f, void *tls)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    if (f->peer_fd >= 0)
        close(f->peer_fd);
    f->peer_fd = fds[1];
    f->opened_n = f->closed_n = 0;
    f->conn = conn_new(f->pool, fds[0], NULL, &tls_transport, tls, &f->conf, &f->events, f);
    assert_non_null(f->conn);
}

static void serve(struct fixture *f, struct tls_context *ctx, bool is_http)
{
    carry(f, tls_new(ctx, is_http));
}

static void shake_hands(struct fixture *f, SSL *client)
{
    FIXTURE_TURN_UNTIL(f, SSL_do_handshake(client) == 1);
    FIXTURE_TURN_UNTIL(f, f->opened_n == 1);
}

/* Reads until `in` holds that many bytes, or to the end. */
static void read_some(struct fixture *f, SSL *client, struct buf *in, size_t until)
{
    int turns_n = 0;
    while (in->len < until) {
        int n = SSL_read(client, buf_reserve(in, 65536), 65536);
        if (n > 0)
            buf_commit(in, (size_t)n);
        else if (SSL_get_error(client, n) == SSL_ERROR_WANT_READ)
            fixture_turn(f);
        else
            return;
        assert_in_range(turns_n++, 0, 100000);
    }
}

static void write_all(struct fixture *f, SSL *client, const uint8_t *at, size_t len)
{
    int turns_n = 0;
    while (len > 0) {
        int n = SSL_write(client, at, (int)len);
        if (n > 0) {
            at += n;
            len -= (size_t)n;
        }
        fixture_turn(f);
        assert_in_range(turns_n++, 0, 100000);
    }
}

static void assert_serves(const SSL *client, const struct cert *want)
{
    X509 *got = SSL_get1_peer_certificate(client);
    BIO *in = BIO_new_mem_buf(want->cert_pem, -1);
    X509 *expected = PEM_read_bio_X509(in, NULL, NULL, NULL);
    assert_non_null(got);
    assert_int_equal(X509_cmp(got, expected), 0);
    X509_free(got);
    X509_free(expected);
    BIO_free(in);
}

/* ---- tests ---- */

static void bytes_both_ways(void **state)
{
    struct fixture *f = *state;
    struct tls_context *ctx = context((struct tls_setup){0});
    SSL_CTX *other = client_ctx(0);
    serve(f, ctx, false);
    tls_context_unref(ctx); /* the connection keeps its own */
    SSL *client = client_new(other, f->peer_fd, NULL);
    shake_hands(f, client);
    assert_string_equal(conn_transport_name(f->conn), "tls");
    assert_string_equal(SSL_get_version(client), "TLSv1.3");
    assert_serves(client, &first);

    assert_int_equal(SSL_write(client, "hello", 5), 5);
    FIXTURE_TURN_UNTIL(f, f->got.len == 5);
    assert_buf_is(&f->got, "hello");
    assert_int_equal(conn_send(f->conn, span_str("welcome")), 0);
    struct buf in = {0};
    read_some(f, client, &in, 7);
    assert_buf_is(&in, "welcome");
    buf_fini(&in);
    SSL_free(client);
    SSL_CTX_free(other);
}

/* More than the loop reads at once, and more than the socket takes: all of it, in order. */
static void much_both_ways(void **state)
{
    struct fixture *f = *state;
    struct tls_context *ctx = context((struct tls_setup){0});
    SSL_CTX *other = client_ctx(0);
    enum { MUCH = 3 * 1024 * 1024 };
    uint8_t *much = mem_alloc(MUCH);
    for (size_t i = 0; i < MUCH; i++)
        much[i] = (uint8_t)(i * 31 >> 7);
    serve(f, ctx, false);
    SSL *client = client_new(other, f->peer_fd, NULL);
    SSL_set_mode(client, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    shake_hands(f, client);
    write_all(f, client, much, MUCH);
    FIXTURE_TURN_UNTIL(f, f->got.len == MUCH);
    assert_memory_equal(f->got.at, much, MUCH);

    f->conf.out_max_bytes = 0;
    for (size_t at = 0, step = 1; at < MUCH; at += step, step = step * 3 % 30011 + 1) {
        step = step < MUCH - at ? step : MUCH - at;
        assert_int_equal(conn_send(f->conn, span_of(much + at, step)), 0);
        if (at % 5 == 0)
            fixture_turn(f);
    }
    struct buf in = {0};
    read_some(f, client, &in, MUCH);
    assert_int_equal(in.len, MUCH);
    assert_memory_equal(in.at, much, MUCH);
    buf_fini(&in);
    mem_free(much);
    SSL_free(client);
    SSL_CTX_free(other);
    tls_context_unref(ctx);
}

/* What was read along with the handshake or while paused is not forgotten. */
static void input_held_by_openssl_comes_after_a_pause(void **state)
{
    struct fixture *f = *state;
    struct tls_context *ctx = context((struct tls_setup){0});
    SSL_CTX *other = client_ctx(0);
    serve(f, ctx, false);
    SSL *client = client_new(other, f->peer_fd, NULL);
    shake_hands(f, client);
    conn_pause(f->conn);
    for (int i = 0; i < 3; i++)
        assert_int_equal(SSL_write(client, "abc", 3), 3);
    fixture_turn(f);
    assert_int_equal(f->got.len, 0);
    conn_resume(f->conn);
    FIXTURE_TURN_UNTIL(f, f->got.len == 9);
    SSL_free(client);
    SSL_CTX_free(other);
    tls_context_unref(ctx);
}

/* The client closes its side: what we have to say still arrives, and our goodbye. */
static void half_close(void **state)
{
    struct fixture *f = *state;
    struct tls_context *ctx = context((struct tls_setup){0});
    SSL_CTX *other = client_ctx(0);
    struct buf in = {0};
    serve(f, ctx, false);
    SSL *client = client_new(other, f->peer_fd, NULL);
    shake_hands(f, client);
    assert_int_equal(SSL_write(client, "bye", 3), 3);
    assert_int_equal(conn_send(f->conn, span_str("answer")), 0);
    assert_int_equal(SSL_shutdown(client), 0); /* sent; theirs is not there yet */
    FIXTURE_TURN_UNTIL(f, f->closed_n == 1);
    assert_int_equal(f->why, GW_ECLOSED);
    assert_buf_is(&f->got, "bye");
    read_some(f, client, &in, 7);
    assert_buf_is(&in, "answer");
    assert_int_equal(SSL_get_shutdown(client) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
    buf_fini(&in);
    SSL_free(client);
    SSL_CTX_free(other);
    tls_context_unref(ctx);
}

static void the_certificate_of_the_name(void **state)
{
    struct fixture *f = *state;
    struct tls_context *ctx = context((struct tls_setup){0});
    SSL_CTX *other = client_ctx(0);
    const struct {
        const char *host;
        const struct cert *want;
    } table[] = {{"second.test", &second}, {"first.test", &first}, {"else.test", &first}};
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        serve(f, ctx, false);
        SSL *client = client_new(other, f->peer_fd, table[i].host);
        shake_hands(f, client);
        assert_serves(client, table[i].want);
        conn_destroy(f->conn, 0);
        fixture_turn(f);
        SSL_free(client);
    }
    SSL_CTX_free(other);
    tls_context_unref(ctx);
}

/* RFC 6066 §3: an address is not sent as a server's name; there are servers that refuse it. */
static void the_name_that_is_asked_for(void **state)
{
    static const struct {
        const char *host, *want;
    } table[] = {{"second.test", "second.test"},
                 {"192.0.2.1.test", "192.0.2.1.test"},
                 {"192.0.2.1", NULL},
                 {"2001:db8::1", NULL}};
    struct fixture *f = *state;
    struct tls_complaint complaint;
    struct tls_context *ctx = tls_context_new_dialler(NULL, &complaint);
    SSL_CTX *other = SSL_CTX_new(TLS_server_method());
    const struct tls_pair pair = {span_str(second.cert_pem), span_str(second.key_pem)};
    assert_non_null(ctx);
    assert_int_equal(tls_pem_use_pair(other, &pair, &complaint), 0);
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        SSL *server = SSL_new(other);
        carry(f, tls_new_dialler(ctx, table[i].host, true));
        SSL_set_fd(server, f->peer_fd);
        SSL_set_accept_state(server);
        shake_hands(f, server);
        const char *name = SSL_get_servername(server, TLSEXT_NAMETYPE_host_name);
        assert_string_equal(name ? name : "none", table[i].want ? table[i].want : "none");
        conn_destroy(f->conn, 0);
        fixture_turn(f);
        SSL_free(server);
    }
    SSL_CTX_free(other);
    tls_context_unref(ctx);
}

static void the_servers_choice_of_ciphers(void **state)
{
    static const char ours[] = TLS_CONF_SUITES;
    static const char aes_256[] = "TLS_AES_256_GCM_SHA384", aes_128[] = "TLS_AES_128_GCM_SHA256";
    static const char chacha[] = "TLS_CHACHA20_POLY1305_SHA256";
    static const struct {
        const char *suites, *offered, *want;
    } table[] = {
        {ours, "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256",
         aes_128},
        {ours, "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256", chacha}, /* a phone */
        {ours, "TLS_AES_256_GCM_SHA384", aes_256},
        {aes_256, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384", aes_256},
        {NULL, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384", aes_256},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct tls_context *ctx = context((struct tls_setup){.suites = table[i].suites});
        SSL_CTX *other = client_ctx(TLS1_3_VERSION);
        assert_int_equal(SSL_CTX_set_ciphersuites(other, table[i].offered), 1);
        serve(f, ctx, false);
        SSL *client = client_new(other, f->peer_fd, NULL);
        shake_hands(f, client);
        assert_string_equal(SSL_get_cipher_name(client), table[i].want);
        conn_destroy(f->conn, 0);
        fixture_turn(f);
        SSL_free(client);
        SSL_CTX_free(other);
        tls_context_unref(ctx);
    }
}

/* Connects, reads a byte (in TLS 1.3 tickets come behind the handshake), keeps the session. */
static SSL_SESSION *session_of(struct fixture *f, SSL_CTX *other, struct tls_context *ctx,
                               SSL_SESSION *earlier, bool *is_resumed)
{
    struct buf in = {0};
    serve(f, ctx, false);
    SSL *client = client_new(other, f->peer_fd, NULL);
    if (earlier)
        SSL_set_session(client, earlier);
    shake_hands(f, client);
    assert_int_equal(conn_send(f->conn, span_str("x")), 0);
    read_some(f, client, &in, 1);
    *is_resumed = SSL_session_reused(client) == 1;
    SSL_SESSION *session = SSL_get1_session(client);
    SSL_shutdown(client);
    FIXTURE_TURN_UNTIL(f, f->closed_n == 1);
    SSL_free(client);
    SSL_SESSION_free(earlier);
    buf_fini(&in);
    return session;
}

static void check_resumption(struct fixture *f, int version, unsigned long long options)
{
    SSL_CTX *other = client_ctx(version);
    struct tls_context *ctx = context((struct tls_setup){0});
    bool is_resumed;
    SSL_CTX_set_options(other, options);
    SSL_SESSION *session = session_of(f, other, ctx, NULL, &is_resumed);
    assert_false(is_resumed);
    session = session_of(f, other, ctx, session, &is_resumed);
    assert_true(is_resumed);
    SSL_SESSION_free(session);
    tls_context_unref(ctx);
    SSL_CTX_free(other);
}

static void sessions_are_resumed(void **state)
{
    check_resumption(*state, TLS1_3_VERSION, 0);
    check_resumption(*state, TLS1_2_VERSION, 0);
    check_resumption(*state, TLS1_2_VERSION, SSL_OP_NO_TICKET); /* from the cache */
}

/* As between two processes of a section: another context with the same secret. */
static void tickets_open_elsewhere(void **state)
{
    struct fixture *f = *state;
    const int versions[] = {TLS1_3_VERSION, TLS1_2_VERSION};
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        SSL_CTX *other = client_ctx(versions[i]);
        struct tls_context *here = context((struct tls_setup){0});
        struct tls_context *there = context((struct tls_setup){0});
        bool is_resumed;
        SSL_SESSION *session = session_of(f, other, here, NULL, &is_resumed);
        session = session_of(f, other, there, session, &is_resumed);
        assert_true(is_resumed);
        SSL_SESSION_free(session);
        tls_context_unref(here);
        tls_context_unref(there);
        SSL_CTX_free(other);
    }
}

static int end_of_handshake(struct fixture *f, SSL *client)
{
    int turns_n = 0;
    while (f->opened_n == 0 && f->closed_n == 0) {
        (void)SSL_do_handshake(client);
        ERR_clear_error();
        fixture_turn(f);
        assert_in_range(turns_n++, 0, 100000);
    }
    return f->opened_n ? 0 : f->why;
}

static void clients_show_certificates(void **state)
{
    struct fixture *f = *state;
    const struct {
        enum tls_verify verify;
        const struct cert *shown;
        int want;
    } table[] = {
        {TLS_VERIFY_REQUIRED, &visitor, 0},
        {TLS_VERIFY_REQUIRED, NULL, GW_EPROTO},
        {TLS_VERIFY_REQUIRED, &second, GW_EPROTO}, /* signed by itself */
        {TLS_VERIFY_OPTIONAL, NULL, 0},
        {TLS_VERIFY_OPTIONAL, &second, GW_EPROTO},
        {TLS_VERIFY_NONE, NULL, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        SSL_CTX *other = client_ctx(TLS1_2_VERSION);
        struct tls_context *ctx = context(
            (struct tls_setup){.verify = table[i].verify, .client_ca = span_str(ca.cert_pem)});
        serve(f, ctx, false);
        SSL *client = client_new(other, f->peer_fd, NULL);
        if (table[i].shown) {
            BIO *in = BIO_new_mem_buf(table[i].shown->cert_pem, -1);
            X509 *cert = PEM_read_bio_X509(in, NULL, NULL, NULL);
            SSL_use_certificate(client, cert);
            X509_free(cert);
            BIO_free(in);
            in = BIO_new_mem_buf(table[i].shown->key_pem, -1);
            EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
            SSL_use_PrivateKey(client, key);
            EVP_PKEY_free(key);
            BIO_free(in);
        }
        int got = end_of_handshake(f, client);
        if (got != table[i].want)
            fail_msg("row %zu: %d, want %d", i, got, table[i].want);
        SSL_free(client);
        SSL_CTX_free(other);
        tls_context_unref(ctx);
        if (f->conn)
            conn_destroy(f->conn, 0);
        fixture_turn(f);
    }
}

static void protocols_are_agreed(void **state)
{
    struct fixture *f = *state;
    static const unsigned char both[] = "\x02h2\x08http/1.1", only_h2[] = "\x02h2";
    const struct {
        bool is_http;
        const unsigned char *offer;
        unsigned offer_len;
        int want;
        const char *chosen;
    } table[] = {{true, both, 12, 0, "http/1.1"},
                 {true, only_h2, 3, GW_EPROTO, ""},
                 {false, only_h2, 3, 0, ""}};
    struct tls_context *ctx = context((struct tls_setup){0});
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        SSL_CTX *other = client_ctx(0);
        const unsigned char *chosen;
        unsigned chosen_len;
        SSL_CTX_set_alpn_protos(other, table[i].offer, table[i].offer_len);
        serve(f, ctx, table[i].is_http);
        SSL *client = client_new(other, f->peer_fd, NULL);
        assert_int_equal(end_of_handshake(f, client), table[i].want);
        SSL_get0_alpn_selected(client, &chosen, &chosen_len);
        assert_true(span_is(span_of(chosen, chosen_len), table[i].chosen));
        SSL_free(client);
        SSL_CTX_free(other);
        if (f->conn)
            conn_destroy(f->conn, 0);
        fixture_turn(f);
    }
    tls_context_unref(ctx);
}

static void plain_bytes_are_told(void **state)
{
    struct fixture *f = *state;
    struct tls_context *ctx = context((struct tls_setup){0});
    const struct {
        bool is_http;
        const char *sent;
        const char *start; /* of the answer */
    } table[] = {{true, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
                 {false, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", ""},
                 {true, "hello, anybody there?\n", ""}};
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct buf in = {0};
        serve(f, ctx, table[i].is_http);
        fixture_peer_write(f, table[i].sent);
        FIXTURE_TURN_UNTIL(f, f->closed_n == 1);
        assert_int_equal(f->why, GW_EPROTO);
        assert_int_equal(f->opened_n, 0);
        bool is_open = fixture_peer_read(f, &in);
        assert_false(is_open);
        size_t len = strlen(table[i].start);
        assert_in_range(in.len, len, 400);
        if (len)
            assert_memory_equal(in.at, table[i].start, len);
        buf_fini(&in);
    }
    tls_context_unref(ctx);
}

static void handshake_has_a_deadline(void **state)
{
    struct fixture *f = *state;
    struct tls_context *ctx = context((struct tls_setup){0});
    f->conf.handshake_timeout_ms = 1;
    serve(f, ctx, false);
    FIXTURE_TURN_UNTIL(f, f->closed_n == 1);
    assert_int_equal(f->why, GW_ETIMEOUT);
    tls_context_unref(ctx);
}

/* A peer that breaks the stream costs its own connection. */
static void garbage_behind_the_handshake(void **state)
{
    struct fixture *f = *state;
    struct tls_context *ctx = context((struct tls_setup){0});
    SSL_CTX *other = client_ctx(0);
    serve(f, ctx, false);
    SSL *client = client_new(other, f->peer_fd, NULL);
    shake_hands(f, client);
    fixture_peer_write(f, "this is no record of TLS");
    FIXTURE_TURN_UNTIL(f, f->closed_n == 1);
    assert_int_equal(f->why, GW_EPROTO);
    SSL_free(client);
    SSL_CTX_free(other);
    tls_context_unref(ctx);
}

static void a_file_behind_the_queue(void **state)
{
    struct fixture *f = *state;
    struct tls_context *ctx = context((struct tls_setup){0});
    SSL_CTX *other = client_ctx(0);
    enum { FILE_BYTES = 700 * 1000 };
    struct tmpdir dir = tmpdir_make();
    char *content = mem_alloc(FILE_BYTES + 1);
    for (size_t i = 0; i < FILE_BYTES; i++)
        content[i] = (char)('a' + i * 7 / 1000 % 26);
    content[FILE_BYTES] = '\0';
    int fd = open(tmpdir_write(&dir, "file", content), O_RDONLY);
    serve(f, ctx, false);
    SSL *client = client_new(other, f->peer_fd, NULL);
    shake_hands(f, client);
    struct buf in = {0};
    assert_int_equal(conn_send(f->conn, span_str("head")), 0);
    assert_int_equal(conn_send_file(f->conn, fd, 0, FILE_BYTES), 0);
    read_some(f, client, &in, FILE_BYTES + 4);
    assert_int_equal(in.len, FILE_BYTES + 4);
    assert_memory_equal(in.at, "head", 4);
    assert_memory_equal(in.at + 4, content, FILE_BYTES);
    buf_fini(&in);
    mem_free(content);
    tmpdir_remove(&dir);
    SSL_free(client);
    SSL_CTX_free(other);
    tls_context_unref(ctx);
}

static int make_certs(void **state)
{
    signal(SIGPIPE, SIG_IGN); /* as net/sig.c does */
    cert_make(&ca, "ca.test", NULL, 3600);
    cert_make(&first, "first.test", &ca, 3600);
    cert_make(&second, "second.test", NULL, 3600);
    cert_make(&visitor, "visitor.test", &ca, 3600);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(bytes_both_ways),
        FIXTURE_TEST(much_both_ways),
        FIXTURE_TEST(input_held_by_openssl_comes_after_a_pause),
        FIXTURE_TEST(half_close),
        FIXTURE_TEST(the_certificate_of_the_name),
        FIXTURE_TEST(the_name_that_is_asked_for),
        FIXTURE_TEST(the_servers_choice_of_ciphers),
        FIXTURE_TEST(sessions_are_resumed),
        FIXTURE_TEST(tickets_open_elsewhere),
        FIXTURE_TEST(clients_show_certificates),
        FIXTURE_TEST(protocols_are_agreed),
        FIXTURE_TEST(plain_bytes_are_told),
        FIXTURE_TEST(handshake_has_a_deadline),
        FIXTURE_TEST(garbage_behind_the_handshake),
        FIXTURE_TEST(a_file_behind_the_queue),
    };
    return cmocka_run_group_tests(tests, make_certs, NULL);
}

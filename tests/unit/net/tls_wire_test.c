/* The socket below TLS: records that did not fit leave before any other byte, and each once. */
#include "net/tls_wire.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/bio.h>

#include "base/buf.h"

enum { RECORD = 16000 };

static struct tls_wire wire;
static struct tls_gather gather;
static BIO_METHOD *method;
static SSL_CTX *ctx;
static SSL *ssl;
static BIO *bio;
static int peer;
static struct buf got;

static int set_up(void **state)
{
    int fds[2], small = 4096;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) < 0)
        return -1;
    setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    peer = fds[1];
    wire = (struct tls_wire){0};
    method = tls_wire_method_new();
    ctx = SSL_CTX_new(TLS_method());
    ssl = SSL_new(ctx);
    if (!tls_wire_open(&wire, ssl, method, fds[0]))
        return -1;
    bio = SSL_get_wbio(ssl);
    return 0;
}

static int tear_down(void **state)
{
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    BIO_meth_free(method);
    tls_wire_close(&wire);
    tls_wire_close(&wire);
    close(wire.fd);
    if (peer >= 0)
        close(peer);
    buf_fini(&got);
    return 0;
}

static void read_at_peer(void)
{
    ssize_t n;
    while ((n = recv(peer, buf_reserve(&got, 65536), 65536, 0)) > 0)
        buf_commit(&got, (size_t)n);
}

static int write_letters(char letter, size_t len)
{
    static char text[RECORD];
    memset(text, letter, sizeof(text));
    return BIO_write(bio, text, (int)len);
}

/* "aaabb" as it was written: so many of each letter in a row, from a on. */
static void check_got(const size_t *lens, size_t lens_n)
{
    size_t at = 0;
    for (size_t i = 0; i < lens_n; i++)
        for (size_t k = 0; k < lens[i]; k++, at++)
            if (got.at[at] != (uint8_t)('a' + i))
                fail_msg("byte %zu is %c, not of record %zu", at, got.at[at], i);
    assert_int_equal(got.len, at);
}

static void what_is_gathered_leaves_with_the_flush(void **state)
{
    static const size_t lens[] = {10, 20, 30};
    tls_wire_gather(&wire, &gather);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(write_letters((char)('a' + i), lens[i]), lens[i]);
    read_at_peer();
    assert_int_equal(got.len, 0);
    assert_int_equal(tls_wire_flush(&wire), 0);
    assert_int_equal(tls_wire_flush(&wire), 0); /* nothing more */
    read_at_peer();
    check_got(lens, 3);
}

static void a_full_gather_takes_a_part_and_then_no_more(void **state)
{
    size_t taken = 0;
    tls_wire_gather(&wire, &gather);
    int n;
    while ((n = write_letters('a', RECORD)) == RECORD)
        taken += RECORD;
    assert_in_range(n, 1, RECORD - 1);
    assert_int_equal(taken + (size_t)n, sizeof(gather.at));
    assert_int_equal(write_letters('b', 1), -1);
    assert_true(BIO_should_retry(bio));
    assert_true(BIO_should_write(bio));
}

/* The peer does not read: the rest is kept, and what is written meanwhile comes behind it. */
static void the_rest_goes_first(void **state)
{
    static const size_t lens[] = {RECORD, RECORD, 5};
    tls_wire_gather(&wire, &gather);
    assert_int_equal(write_letters('a', RECORD), RECORD);
    assert_int_equal(write_letters('b', RECORD), RECORD);
    assert_int_equal(tls_wire_flush(&wire), -EAGAIN);
    assert_int_equal(tls_wire_flush(&wire), -EAGAIN); /* still not */
    assert_int_equal(write_letters('c', 5), -1);
    assert_true(BIO_should_write(bio));
    for (int i = 0; i < 1000 && wire.rest; i++) {
        read_at_peer();
        int rc = tls_wire_flush(&wire);
        assert_true(rc == 0 || rc == -EAGAIN);
    }
    assert_null(wire.rest);
    read_at_peer(); /* makes room */
    assert_int_equal(write_letters('c', 5), 5);
    read_at_peer();
    check_got(lens, 3);
}

static void a_peer_that_left_is_an_error_and_no_signal(void **state)
{
    close(peer);
    peer = -1;
    tls_wire_gather(&wire, &gather);
    assert_int_equal(write_letters('a', 10), 10);
    assert_int_equal(tls_wire_flush(&wire), -EPIPE);
    assert_int_equal(write_letters('a', 10), -1);
    assert_int_equal(errno, EPIPE);
    assert_false(BIO_should_retry(bio));
}

/* A read that did not fill its room emptied the socket: the next one asks no kernel. */
static void the_last_read_is_known(void **state)
{
    char text[8];
    assert_int_equal(send(peer, "12345678abc", 11, 0), 11);
    assert_int_equal(BIO_read(bio, text, sizeof(text)), 8);
    assert_false(wire.is_drained);
    assert_int_equal(BIO_read(bio, text, sizeof(text)), 3);
    assert_true(wire.is_drained);
    assert_int_equal(send(peer, "late", 4, 0), 4);
    assert_int_equal(BIO_read(bio, text, sizeof(text)), -1);
    assert_true(BIO_should_read(bio));
    wire.is_drained = false; /* as the next turn does */
    assert_int_equal(BIO_read(bio, text, sizeof(text)), 4);
    wire.is_drained = false;
    assert_int_equal(BIO_read(bio, text, sizeof(text)), -1);
    assert_true(BIO_should_read(bio));
}

static void the_end_is_told_from_nothing_yet(void **state)
{
    char text[8];
    assert_int_equal(BIO_read(bio, text, sizeof(text)), -1);
    assert_false(BIO_eof(bio));
    close(peer);
    peer = -1;
    assert_int_equal(BIO_read(bio, text, sizeof(text)), 0);
    assert_true(BIO_eof(bio));
    assert_false(BIO_should_retry(bio));
}

#define WIRE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WIRE_TEST(what_is_gathered_leaves_with_the_flush),
        WIRE_TEST(a_full_gather_takes_a_part_and_then_no_more),
        WIRE_TEST(the_rest_goes_first),
        WIRE_TEST(a_peer_that_left_is_an_error_and_no_signal),
        WIRE_TEST(the_last_read_is_known),
        WIRE_TEST(the_end_is_told_from_nothing_yet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

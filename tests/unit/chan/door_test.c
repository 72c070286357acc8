/* door: connections that begin with a PROXY header, and those that only pretend to. */
#include "chan/door.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/sock.h"
#include "net/tls.h"
#include "support/cert.h"

struct hall {
    struct loop *loop;
    struct door door;
    struct cidr_set trusted;
    int listen_fd;
    struct addr at;
    int entered_n;
    int fd; /* of who entered last; -1 */
    struct addr peer;
    const struct transport *transport;
};

static void on_enter(void *owner, int fd, const struct addr *peer,
                     const struct transport *transport, void *transport_state)
{
    struct hall *h = owner;
    transport->free(transport_state);
    if (h->fd >= 0)
        close(h->fd);
    h->entered_n++;
    h->transport = transport;
    h->fd = fd;
    h->peer = *peer;
}

static void open_hall_over(struct hall *h, const char *trusted, uint64_t timeout_ms,
                           struct tls_context *tls)
{
    struct cidr c;
    *h = (struct hall){.loop = loop_new(), .fd = -1};
    assert_int_equal(addr_parse("127.0.0.1:0", &h->at), 0);
    h->listen_fd = sock_listen(&h->at, false, 16);
    assert_true(h->listen_fd >= 0);
    assert_int_equal(sock_local(h->listen_fd, &h->at), 0);
    if (trusted) {
        assert_int_equal(cidr_parse(trusted, &c), 0);
        cidr_set_add(&h->trusted, &c);
    }
    h->door = (struct door){.on_enter = on_enter,
                            .owner = h,
                            .has_proxy_header = trusted != NULL,
                            .trusted = &h->trusted,
                            .may_be_plain = tls != NULL,
                            .timeout_ms = timeout_ms};
    assert_int_equal(door_open(&h->door, h->loop, h->listen_fd, tls), 0);
}

static void open_hall(struct hall *h, const char *trusted, uint64_t timeout_ms)
{
    open_hall_over(h, trusted, timeout_ms, NULL);
}

static void close_hall(struct hall *h)
{
    door_close(&h->door);
    door_close(&h->door);
    assert_int_equal(loop_turn(h->loop, 0), 0);
    loop_free(h->loop);
    cidr_set_fini(&h->trusted);
    close(h->listen_fd);
    if (h->fd >= 0)
        close(h->fd);
}

/* Blocking, so that a read waits for what the door does in its turns only when that is over. */
static int visitor(const struct hall *h)
{
    struct sockaddr_storage sa;
    socklen_t len = addr_to_sockaddr(&h->at, &sa);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&sa, len), 0);
    return fd;
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void turns(struct hall *h, int n)
{
    while (n-- > 0)
        assert_int_equal(loop_turn(h->loop, 1), 0);
}

static void assert_peer(const struct hall *h, const char *want)
{
    char text[ADDR_TEXT_MAX];
    addr_text(&h->peer, text);
    assert_string_equal(text, want);
}

static void without_headers_everybody_enters(void **state)
{
    struct hall h;
    open_hall(&h, NULL, 1000);
    int fd = visitor(&h);
    turns(&h, 3);
    assert_int_equal(h.entered_n, 1);
    assert_ptr_equal(h.transport, &plain_transport);
    assert_memory_equal(h.peer.ip, "\x7f\0\0\1", 4);
    close(fd);
    close_hall(&h);
}

static struct tls_context *some_context(void)
{
    static struct cert c;
    cert_make(&c, "door.test", NULL, 24 * 3600);
    const struct tls_pair pair = {.cert = span_str(c.cert_pem), .key = span_str(c.key_pem)};
    const struct tls_setup setup = {.pairs = &pair, .pairs_n = 1, .ciphers = "ECDHE+AESGCM"};
    struct tls_complaint complaint;
    return tls_context_new(&setup, &complaint);
}

/* The first byte tells, and stays where it is. */
static void where_tls_is_optional_the_first_byte_tells(void **state)
{
    struct hall h;
    struct tls_context *tls = some_context();
    char first = 0;
    assert_non_null(tls);
    open_hall_over(&h, NULL, 60000, tls);
    int fd = visitor(&h);
    turns(&h, 3);
    assert_int_equal(h.entered_n, 0);
    say(fd, "{");
    turns(&h, 3);
    assert_int_equal(h.entered_n, 1);
    assert_ptr_equal(h.transport, &plain_transport);
    assert_int_equal(recv(h.fd, &first, 1, 0), 1);
    assert_int_equal(first, '{');
    close(fd);
    fd = visitor(&h);
    say(fd, "\x16");
    turns(&h, 3);
    assert_int_equal(h.entered_n, 2);
    assert_ptr_equal(h.transport, &tls_transport);
    close(fd);
    fd = visitor(&h); /* leaves without a word */
    close(fd);
    turns(&h, 3);
    assert_int_equal(h.entered_n, 2);
    assert_int_equal(h.door.guests_n, 0);
    close_hall(&h);
    tls_context_unref(tls);
}

static void who_says_nothing_does_not_stay(void **state)
{
    struct hall h;
    struct tls_context *tls = some_context();
    char byte;
    open_hall_over(&h, NULL, 20, tls);
    int fd = visitor(&h);
    while (h.door.guests_n == 0)
        turns(&h, 1);
    while (h.door.guests_n > 0)
        turns(&h, 1);
    assert_int_equal(h.entered_n, 0);
    assert_int_equal(recv(fd, &byte, 1, 0), 0);
    close(fd);
    close_hall(&h);
    tls_context_unref(tls);
}

/* Not a byte behind the header is taken. */
static void a_header_names_the_peer(void **state)
{
    struct hall h;
    char rest[16] = {0};
    open_hall(&h, "127.0.0.0/8", 60000);
    int fd = visitor(&h);
    turns(&h, 3);
    assert_int_equal(h.entered_n, 0);
    say(fd, "PROXY TCP4 192.0.2.1 ");
    turns(&h, 3);
    say(fd, "127.0.0.1 4711 80\r");
    turns(&h, 3);
    assert_int_equal(h.entered_n, 0);
    say(fd, "\nbehind");
    turns(&h, 3);
    assert_int_equal(h.entered_n, 1);
    assert_peer(&h, "192.0.2.1:4711");
    assert_int_equal(recv(h.fd, rest, sizeof rest, 0), 6);
    assert_string_equal(rest, "behind");
    close(fd);
    close_hall(&h);
}

/* The descriptor at the door of a visitor's connection. */
static int server_side_of(int fd)
{
    struct addr mine, other;
    assert_int_equal(sock_local(fd, &mine), 0);
    for (int i = 0; i < 256; i++)
        if (sock_peer(i, &other) == 0 && other.port == mine.port)
            return i;
    fail_msg("nobody is connected to port %d", mine.port);
    return -1;
}

/* An incomplete header must not keep the loop awake: the descriptor is not readable any more. */
static void an_incomplete_header_is_waited_for_asleep(void **state)
{
    struct hall h;
    open_hall(&h, "127.0.0.0/8", 60000);
    int fd = visitor(&h);
    say(fd, "PROXY TCP4 192.0.2.1 ");
    turns(&h, 5);
    assert_int_equal(h.door.guests_n, 1);
    int unread = -1, unsent = -1;
    assert_int_equal(sock_queue(server_side_of(fd), &unread, &unsent), 0);
    assert_int_equal(unread, 0);
    close(fd);
    turns(&h, 5);
    assert_int_equal(h.door.guests_n, 0); /* left without a word */
    assert_int_equal(h.entered_n, 0);
    close_hall(&h);
}

static void assert_turned_away(const char *trusted, uint64_t timeout_ms, const char *said)
{
    struct hall h;
    char ignored[64];
    ssize_t n = -1;
    open_hall(&h, trusted, timeout_ms);
    int fd = visitor(&h);
    if (said)
        say(fd, said);
    for (int i = 0; i < 1000 && n < 0; i++) {
        turns(&h, 1);
        n = recv(fd, ignored, sizeof ignored, MSG_DONTWAIT);
        if (n < 0 && errno == ECONNRESET)
            n = 0; /* closed with its words unread */
    }
    assert_int_equal(n, 0);
    assert_int_equal(h.entered_n, 0);
    assert_int_equal(h.door.guests_n, 0);
    close(fd);
    close_hall(&h);
}

static void others_are_turned_away(void **state)
{
    assert_turned_away("127.0.0.0/8", 60000, "GET / HTTP/1.1\r\n\r\n");
    assert_turned_away("10.0.0.0/8", 60000, "PROXY TCP4 192.0.2.1 127.0.0.1 1 2\r\n");
    assert_turned_away("127.0.0.0/8", 1, NULL);
    assert_turned_away("127.0.0.0/8", 1, "PROXY TCP4");
}

static void guests_are_closed_with_the_door(void **state)
{
    struct hall h;
    char ignored[8];
    open_hall(&h, "127.0.0.0/8", 60000);
    int fd = visitor(&h);
    turns(&h, 3);
    assert_int_equal(h.door.guests_n, 1);
    door_close(&h.door);
    assert_int_equal(recv(fd, ignored, sizeof ignored, 0), 0);
    close(fd);
    close_hall(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_headers_everybody_enters),
        cmocka_unit_test(where_tls_is_optional_the_first_byte_tells),
        cmocka_unit_test(who_says_nothing_does_not_stay),
        cmocka_unit_test(a_header_names_the_peer),
        cmocka_unit_test(an_incomplete_header_is_waited_for_asleep),
        cmocka_unit_test(others_are_turned_away),
        cmocka_unit_test(guests_are_closed_with_the_door),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

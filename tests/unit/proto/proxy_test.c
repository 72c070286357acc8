/* proxy: the examples of proxy-protocol.txt and what hostile peers make of them, in every cut. */
#include "proto/proxy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <gw/err.h>

#include "base/compiler.h"

#define V2 "\r\n\r\n\0\r\nQUIT\n"
#define BYTES(text) (text), sizeof(text) - 1

struct row {
    const char *in;
    size_t len;
    ssize_t want; /* 0 with a whole row: more is needed */
    struct proxy_head head;
};

static const struct row rows[] = {
    /* §2.1 */
    {BYTES("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n"),
     47,
     {PROXY_IP4, {192, 168, 0, 1}, 56324}},
    {BYTES("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
     56,
     {PROXY_IP4, {255, 255, 255, 255}, 65535}},
    {BYTES("PROXY TCP6 2001:db8::7 ::1 1 2\r\n"),
     32,
     {PROXY_IP6, {0x20, 1, 0xd, 0xb8, [15] = 7}, 1}},
    {BYTES("PROXY UNKNOWN\r\n"), 15, {0}},
    {BYTES("PROXY UNKNOWN ffff:f...f:ffff what ever\r\n"), 41, {0}},
    {BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 5 6\r\nGET"), 32, {PROXY_IP4, {1, 2, 3, 4}, 5}},
    {BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 5 6\n"), GW_EPROTO, {0}},
    {BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 5 65536\r\n"), GW_EPROTO, {0}},
    {BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 05 6\r\n"), GW_EPROTO, {0}},
    {BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 5\r\n"), GW_EPROTO, {0}},
    {BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 5 6 7\r\n"), GW_EPROTO, {0}},
    {BYTES("PROXY TCP4 ::1 ::1 5 6\r\n"), GW_EPROTO, {0}},
    {BYTES("PROXY TCP6 1.2.3.4 1.2.3.4 5 6\r\n"), GW_EPROTO, {0}},
    {BYTES("PROXY TCP9 1.2.3.4 1.2.3.4 5 6\r\n"), GW_EPROTO, {0}},
    {BYTES("PROXY \r\n"), GW_EPROTO, {0}},
    {BYTES("PROXY\r\n"), GW_EPROTO, {0}},
    {BYTES("PROXY  TCP4 1.2.3.4 1.2.3.4 5 6\r\n"), GW_EPROTO, {0}},
    {BYTES("GET / HTTP/1.1\r\n"), GW_EPROTO, {0}},
    {BYTES("\x16\x03\x01\x02\x00\x01"), GW_EPROTO, {0}},
    {BYTES("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:f"
           "fff 65535 65535 \r\n"),
     GW_EPROTO,
     {0}},
    /* §2.2 */
    {BYTES(V2 "\x21\x11\x00\x0c\x0a\x01\x02\x03\x0a\x01\x02\x04\x01\x02\x03\x04"),
     28,
     {PROXY_IP4, {10, 1, 2, 3}, 0x102}},
    {BYTES(V2 "\x21\x11\x00\x0f\x0a\x01\x02\x03\x0a\x01\x02\x04\x01\x02\x03\x04tlvGET"),
     31,
     {PROXY_IP4, {10, 1, 2, 3}, 0x102}},
    {BYTES(V2 "\x21\x21\x00\x24\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x09"
              "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\xff\xfe\x00\x50"),
     52,
     {PROXY_IP6, {0xfe, 0x80, [15] = 9}, 0xfffe}},
    {BYTES(V2 "\x20\x00\x00\x00"), 16, {0}},   /* LOCAL */
    {BYTES(V2 "\x20\x11\x00\x02xy"), 18, {0}}, /* LOCAL: the rest is ignored */
    {BYTES(V2 "\x21\x31\x00\x03"
              "abc"),
     19,
     {0}},                                   /* a unix address */
    {BYTES(V2 "\x21\x00\x00\x00"), 16, {0}}, /* UNSPEC */
    {BYTES(V2 "\x21\x11\x00\x0b\x0a\x01\x02\x03\x0a\x01\x02\x04\x01\x02\x03"), GW_EPROTO, {0}},
    {BYTES(V2 "\x22\x11\x00\x0c"), GW_EPROTO, {0}}, /* an unknown command */
    {BYTES(V2 "\x11\x11\x00\x0c"), GW_EPROTO, {0}}, /* version 1 in binary */
    {BYTES(V2 "\x21\x11\x0f\xf1"), GW_ETOOBIG, {0}},
    {BYTES("\r\n\r\n\0\r\nQUIT\r"), GW_EPROTO, {0}},
};

static void check(const struct row *row, ssize_t got, const struct proxy_head *head)
{
    size_t pos = (size_t)(row - rows);
    if (got != row->want)
        fail_msg("row %zu: %zd, want %zd", pos, got, row->want);
    if (got <= 0)
        return;
    if (head->source != row->head.source || head->port != row->head.port ||
        memcmp(head->ip, row->head.ip, sizeof head->ip) != 0)
        fail_msg("row %zu: source %d port %d ip %d.%d…", pos, head->source, head->port, head->ip[0],
                 head->ip[1]);
}

/* In a block of exactly that size, so that a read beyond is seen. */
static ssize_t parse(const char *in, size_t len, struct proxy_head *head)
{
    uint8_t *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, in, len);
    ssize_t got = proxy_parse(span_of(copy, len), head);
    free(copy);
    return got;
}

static void whole(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct proxy_head head;
        ssize_t got = parse(rows[i].in, rows[i].len, &head);
        check(&rows[i], got, &head);
    }
}

/* As many bytes as there are, one more each time: more is asked for until the answer is the one for
 * the whole. */
static void byte_by_byte(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct proxy_head head = {0};
        ssize_t got = 0;
        for (size_t len = 0; got == 0 && len <= rows[i].len; len++)
            got = parse(rows[i].in, len, &head);
        check(&rows[i], got, &head);
    }
}

static void random_splits(void **state)
{
    srand(5);
    for (int round = 0; round < 2000; round++) {
        const struct row *row = &rows[(size_t)round % ARRAY_LEN(rows)];
        struct proxy_head head = {0};
        ssize_t got = 0;
        for (size_t len = 0; got == 0 && len < row->len;) {
            len += 1 + (size_t)rand() % (row->len - len);
            got = parse(row->in, len, &head);
        }
        check(row, got, &head);
    }
}

/* A line that never ends is given up at the length that no line has. */
static void endless_line(void **state)
{
    char line[PROXY_V1_MAX + 1];
    struct proxy_head head;
    memset(line, 'x', sizeof line);
    memcpy(line, "PROXY UNKNOWN ", 14);
    assert_int_equal(parse(line, PROXY_V1_MAX - 1, &head), 0);
    assert_int_equal(parse(line, PROXY_V1_MAX, &head), GW_EPROTO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole),
        cmocka_unit_test(byte_by_byte),
        cmocka_unit_test(random_splits),
        cmocka_unit_test(endless_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

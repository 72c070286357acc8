/* Gateways by address: once each, in the order of the registry, and which of them are far. */
#include "client/addr_book.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { MANY = 100 };

static struct gateway_at at_port(unsigned port)
{
    return (struct gateway_at){.ip = 0x7f000001, .port = (uint16_t)port};
}

static void each_stands_once_where_it_came_first(void **state)
{
    struct addr_book b = {0};
    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = 0; i < MANY; i++)
            addr_book_add(&b, at_port(1000 + i));
    assert_int_equal(b.len, MANY);
    for (unsigned i = 0; i < MANY; i++)
        assert_true(gateway_at_eq(b.at[i], at_port(1000 + i)));
    assert_false(addr_book_has(&b, at_port(999)));
    assert_false(addr_book_has(&b, (struct gateway_at){.ip = 0x7f000002, .port = 1000}));
    addr_book_fini(&b);
    assert_int_equal(b.len, 0);
    addr_book_fini(&b);
}

static void the_far_ones_are_the_last(void **state)
{
    struct addr_book b = {0};
    assert_false(addr_book_is_far(&b, at_port(1)));
    for (unsigned port = 1; port <= 5; port++)
        addr_book_add(&b, at_port(port));
    b.far_n = 2;
    assert_false(addr_book_is_far(&b, at_port(3)));
    assert_true(addr_book_is_far(&b, at_port(4)));
    assert_true(addr_book_is_far(&b, at_port(5)));
    assert_false(addr_book_is_far(&b, at_port(6)));
    addr_book_clear(&b); /* a new list knows nothing of the old one's distances */
    for (unsigned port = 1; port <= 3; port++)
        addr_book_add(&b, at_port(port));
    assert_false(addr_book_is_far(&b, at_port(3)));
    addr_book_fini(&b);
}

/* What a registry lists may be wrong: it costs that entry only. */
static void texts_that_are_no_address_add_nothing(void **state)
{
    static const char *const bad[] = {
        "", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "999.0.0.1:80"};
    struct addr_book b = {0};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (addr_book_add_text(&b, bad[i]) == 0)
            fail_msg("\"%s\" is taken for an address", bad[i]);
    assert_int_equal(addr_book_add_text(&b, "[::1]:2300"), -EAFNOSUPPORT); /* ids carry IPv4 */
    assert_int_equal(b.len, 0);
    assert_int_equal(addr_book_add_text(&b, "127.0.0.1:2300"), 0);
    assert_int_equal(addr_book_add_text(&b, "127.0.0.1:2300"), 0);
    assert_int_equal(b.len, 1);
    assert_true(gateway_at_eq(b.at[0], at_port(2300)));
    addr_book_fini(&b);
}

static void forms_of_an_address_agree(void **state)
{
    struct gateway_at at = {.ip = 0xfffefdfc, .port = 65535};
    char text[ADDR_TEXT_MAX];
    gateway_at_text(at, text);
    assert_string_equal(text, "255.254.253.252:65535");
    struct addr addr = gateway_at_addr(at);
    assert_int_equal(addr_ip4(&addr), at.ip);
    assert_int_equal(gateway_at_key(at), 0xfffefdfcffff);
    assert_true(gateway_at_key(at_port(1)) != gateway_at_key(at_port(2)));
    struct client_id id = {.ip = at.ip, .port = at.port, .connection_id = 7};
    assert_true(gateway_at_eq(gateway_of(id), at));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_stands_once_where_it_came_first),
        cmocka_unit_test(the_far_ones_are_the_last),
        cmocka_unit_test(texts_that_are_no_address_add_nothing),
        cmocka_unit_test(forms_of_an_address_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

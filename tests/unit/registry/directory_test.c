/* directory: order, duplicates, moves, leaving, and the limits of the list. */
#include "registry/directory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <gw/err.h>

#include "base/mem.h"
#include "proto/reg.h"
#include "support/vectors.h"

static void assert_list(struct directory *d, const char *addresses)
{
    char want[512];

    snprintf(want, sizeof want, "{\"event\":\"broadcast_addresses\",\"addresses\":[%s]}\n",
             addresses);
    assert_bytes("line", directory_line(d), span_str(want));
}

static void addresses_keep_their_order_and_come_once(void **state)
{
    struct directory d;
    struct member a, b, c;

    directory_init(&d);
    member_init(&a);
    member_init(&b);
    member_init(&c);
    assert_list(&d, "");
    assert_int_equal(directory_add_gateway(&d, &a, "127.0.0.1:2300"), 0);
    assert_int_equal(directory_add_gateway(&d, &b, "127.0.0.1:2301"), 0);
    assert_int_equal(directory_add_gateway(&d, &c, "127.0.0.1:2300"), 0);
    assert_list(&d, "\"127.0.0.1:2300\",\"127.0.0.1:2301\"");
    assert_true(directory_leave(&d, &a)); /* register.json full: the double takes its own place */
    assert_list(&d, "\"127.0.0.1:2301\",\"127.0.0.1:2300\"");
    assert_int_equal(directory_add_gateway(&d, &b, "10.0.0.1:1"), 0); /* address_order: it moved */
    assert_list(&d, "\"10.0.0.1:1\",\"127.0.0.1:2300\"");
    assert_true(directory_leave(&d, &b));
    assert_true(directory_leave(&d, &c));
    assert_false(directory_leave(&d, &c));
    assert_list(&d, "");
    assert_int_equal(d.gateways_n, 0);
    assert_int_equal(d.addresses_bytes, 0);
    directory_fini(&d);
}

static void workers_are_counted_once(void **state)
{
    struct directory d;
    struct member m;

    directory_init(&d);
    member_init(&m);
    directory_add_worker(&d, &m);
    directory_add_worker(&d, &m);
    assert_int_equal(d.workers_n, 1);
    assert_ptr_equal(d.workers.next, &m.worker_node);
    assert_int_equal(directory_add_gateway(&d, &m, "1.1.1.1:1"), 0);
    assert_true(directory_leave(&d, &m));
    assert_int_equal(d.workers_n, 0);
    assert_true(list_is_empty(&d.workers));
    assert_true(list_is_empty(&d.gateways));
    directory_fini(&d);
}

static void texts_that_are_no_addresses_are_refused(void **state)
{
    char long_address[DIRECTORY_ADDRESS_MAX + 2];
    static const char *const bad[] = {"", "a b", "a\n", "\x7f", "\xc3\xa9:1"};
    struct directory d;
    struct member m;

    directory_init(&d);
    member_init(&m);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(directory_add_gateway(&d, &m, bad[i]), GW_EPROTO);
    memset(long_address, 'a', sizeof long_address);
    long_address[DIRECTORY_ADDRESS_MAX + 1] = '\0';
    assert_int_equal(directory_add_gateway(&d, &m, long_address), GW_EPROTO);
    long_address[DIRECTORY_ADDRESS_MAX] = '\0';
    assert_int_equal(directory_add_gateway(&d, &m, long_address), 0);
    assert_true(directory_leave(&d, &m));
    directory_fini(&d);
}

/* Whatever gateways announce, readers get a line within REG_LINE_MAX. */
static void the_line_stays_within_its_limit(void **state)
{
    enum { MEMBERS_MAX = 4096 };
    struct member *members = mem_alloc(MEMBERS_MAX * sizeof *members);
    char address[DIRECTORY_ADDRESS_MAX + 1];
    struct directory d;
    int added_n = 0;

    directory_init(&d);
    for (; added_n < MEMBERS_MAX; added_n++) {
        memset(address, '/', sizeof address - 1); /* JSON escapes it */
        snprintf(address, sizeof address, "%d", added_n);
        address[strlen(address)] = '/';
        address[DIRECTORY_ADDRESS_MAX] = '\0';
        member_init(&members[added_n]);
        int rc = directory_add_gateway(&d, &members[added_n], address);
        if (rc < 0) {
            assert_int_equal(rc, GW_EFULL);
            break;
        }
    }
    assert_true(added_n > 2000 && added_n < MEMBERS_MAX);
    assert_true(directory_line(&d).len > REG_LINE_MAX / 2);
    assert_true(directory_line(&d).len <= REG_LINE_MAX);
    for (int i = 0; i < added_n; i++)
        assert_true(directory_leave(&d, &members[i]));
    mem_free(members);
    directory_fini(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_keep_their_order_and_come_once),
        cmocka_unit_test(workers_are_counted_once),
        cmocka_unit_test(texts_that_are_no_addresses_are_refused),
        cmocka_unit_test(the_line_stays_within_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

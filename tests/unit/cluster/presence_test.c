/* Who is in the cluster: coming, going, silence, and two that use one address. */
#include "cluster/presence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "cluster/envelope.h"
#include "support/tmpdir.h"

static struct presence p;
static struct gateway_at gone[4];
static size_t gone_n;

static void on_gone(void *owner, struct gateway_at at)
{
    assert_ptr_equal(owner, &gone_n);
    assert_false(addr_book_has(&p.book, at));
    gone[gone_n++] = at;
}

static int start(void **state)
{
    gone_n = 0;
    presence_init(&p, on_gone, &gone_n);
    return 0;
}

static int end(void **state)
{
    presence_fini(&p);
    return 0;
}

static struct gateway_at at(uint16_t port)
{
    return (struct gateway_at){.ip = 0x0a000001, .port = port};
}

static void hear(enum envelope_kind kind, uint16_t port, uint64_t life, uint64_t now_ms)
{
    presence_hear(
        &p,
        &(struct envelope){.kind = kind, .at = at(port), .life = life, .rest = span_str("h\n1")},
        now_ms);
}

static void who_says_so_is_there(void **state)
{
    hear(ENVELOPE_HERE, 1, 7, 0);
    hear(ENVELOPE_HERE, 2, 8, 0);
    hear(ENVELOPE_HERE, 1, 7, 10);
    assert_int_equal(p.book.len, 2);
    assert_true(addr_book_has(&p.book, at(1)));
    hear(ENVELOPE_LEFT, 1, 6, 20); /* of its predecessor, late */
    assert_int_equal(p.book.len, 2);
    hear(ENVELOPE_LEFT, 1, 7, 20);
    hear(ENVELOPE_LEFT, 3, 1, 20);
    assert_int_equal(p.book.len, 1);
    assert_int_equal(gone_n, 1);
    assert_true(gateway_at_eq(gone[0], at(1)));
}

static void who_is_silent_is_gone(void **state)
{
    hear(ENVELOPE_HERE, 1, 7, 1000);
    hear(ENVELOPE_HERE, 2, 8, 1500);
    presence_look(&p, 1000 + PRESENCE_SILENT_MS);
    assert_int_equal(p.book.len, 2);
    presence_look(&p, 1001 + PRESENCE_SILENT_MS);
    assert_int_equal(p.book.len, 1);
    assert_true(gateway_at_eq(gone[0], at(1)));
    hear(ENVELOPE_HERE, 1, 7, 1002 + PRESENCE_SILENT_MS);
    assert_int_equal(p.book.len, 2);
}

static void nobody_is_late_while_nobody_can_be_heard(void **state)
{
    hear(ENVELOPE_HERE, 1, 7, 0);
    presence_excuse(&p, 60000);
    presence_look(&p, 60000 + PRESENCE_SILENT_MS);
    assert_int_equal(p.book.len, 1);
    presence_look(&p, 60001 + PRESENCE_SILENT_MS);
    assert_int_equal(p.book.len, 0);
}

static void two_with_one_address_are_told(void **state)
{
    struct tmpdir dir = tmpdir_make();
    char text[2048] = "";

    assert_int_equal(log_open(tmpdir_path(&dir, "log"), LOG_INFO, false), 0);
    hear(ENVELOPE_HERE, 1, 7, 0);
    hear(ENVELOPE_HERE, 1, 8, 1); /* perhaps restarted */
    hear(ENVELOPE_HERE, 1, 8, 2);
    FILE *f = fopen(tmpdir_path(&dir, "log"), "r");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    assert_true(n > 0);
    assert_non_null(strstr(text, "gateway 10.0.0.1:1 of host h?1 is in the cluster"));
    assert_null(strstr(text, "two gateways"));
    hear(ENVELOPE_HERE, 1, 7, 3);
    rewind(f);
    n = fread(text, 1, sizeof text - 1, f);
    assert_true(n > 0);
    assert_non_null(strstr(text, "two gateways say that they are 10.0.0.1:1"));
    fclose(f);
    assert_int_equal(log_open(NULL, LOG_INFO, true), 0);
    tmpdir_remove(&dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_says_so_is_there, start, end),
        cmocka_unit_test_setup_teardown(who_is_silent_is_gone, start, end),
        cmocka_unit_test_setup_teardown(nobody_is_late_while_nobody_can_be_heard, start, end),
        cmocka_unit_test_setup_teardown(two_with_one_address_are_told, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

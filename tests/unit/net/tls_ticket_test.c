/* tls_ticket: the same keys everywhere at one time, other keys later. */
#include "net/tls_ticket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const int64_t NOW_S = INT64_C(1700000000) / TLS_TICKET_EPOCH_S * TLS_TICKET_EPOCH_S;

static void same_secret_same_keys(void **state)
{
    struct tls_ticket_keys here, there;
    tls_ticket_keys(span_str("secret"), NOW_S, &here);
    tls_ticket_keys(span_str("secret"), NOW_S + TLS_TICKET_EPOCH_S - 1, &there);
    assert_memory_equal(&here, &there, sizeof here);
    tls_ticket_keys(span_str("other"), NOW_S, &there);
    assert_memory_not_equal(here.name, there.name, sizeof here.name);
    assert_memory_not_equal(here.cipher, there.cipher, sizeof here.cipher);
    assert_memory_not_equal(here.mac, there.mac, sizeof here.mac);
    assert_memory_not_equal(here.cipher, here.mac, sizeof here.mac);
}

static void keys_live_for_two_epochs(void **state)
{
    struct span secret = span_str("secret");
    struct tls_ticket_keys sealed, found;
    bool is_old;
    tls_ticket_keys(secret, NOW_S, &sealed);
    assert_true(tls_ticket_find(secret, NOW_S, sealed.name, &found, &is_old));
    assert_false(is_old);
    assert_memory_equal(&found, &sealed, sizeof found);
    int64_t later_s = NOW_S + 2 * TLS_TICKET_EPOCH_S - 1;
    assert_true(tls_ticket_find(secret, later_s, sealed.name, &found, &is_old));
    assert_true(is_old);
    assert_memory_equal(&found, &sealed, sizeof found);
    assert_false(tls_ticket_find(secret, later_s + 1, sealed.name, &found, &is_old));
    /* One that was sealed by a host whose clock is ahead is shaken hands for. */
    assert_false(tls_ticket_find(secret, NOW_S - 1, sealed.name, &found, &is_old));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_secret_same_keys),
        cmocka_unit_test(keys_live_for_two_epochs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

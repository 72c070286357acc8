/* A module number stands for the sizes of the structs that modules hand in: a module compiled
 * before one of them grew would make the server read beyond it. Who changes a size here raises the
 * number above it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <gw/gateway.h>
#include <gw/module.h>
#include <gw/service.h>
#include <gw/wait.h>

static void test_modules_of_workers(void **state)
{
    assert_int_equal(GW_MODULE_ABI, 3);
    assert_int_equal(sizeof(struct gw_module), 88);
    assert_int_equal(sizeof(struct gw_bytes), 16);
    assert_int_equal(sizeof(struct gw_send), 48);
    assert_int_equal(sizeof(struct gw_waiter), 16);
}

static void test_modules_of_services(void **state)
{
    assert_int_equal(GW_SERVICE_ABI, 1);
    assert_int_equal(sizeof(struct gw_service_module), 96);
    assert_int_equal(sizeof(struct gw_conn_events), 32);
    assert_int_equal(sizeof(struct gw_codec), 32);
    assert_int_equal(sizeof(struct gw_dial), 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_modules_of_workers),
        cmocka_unit_test(test_modules_of_services),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

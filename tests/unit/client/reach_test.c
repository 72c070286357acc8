/* Which gateways need not get a command about groups or uids. */
#include "client/reach.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "client/io.h"

/* Gateway 2300 has members of "red" and, as a uid, "ann"; no other has any. */
struct scene {
    struct gw gw;
    int asked_n;
};

static bool may_have(struct gw *gw, struct gateway_at at, enum interest_kind kind, struct span name)
{
    CONTAINER_OF(gw, struct scene, gw)->asked_n++;
    return at.port == 2300 && span_eq(name, span_str(kind == INTEREST_GROUPS ? "red" : "ann"));
}

static const struct gw_io knowing = {.may_have = may_have};
static const struct gw_io outside = {.may_have = NULL};

static const struct gateway_at holder = {.ip = 0x7f000001, .port = 2300};
static const struct gateway_at other = {.ip = 0x7f000001, .port = 2301};

static struct gw_bytes name_of(const char *text)
{
    return (struct gw_bytes){.data = text, .len = strlen(text)};
}

static void one_name_that_is_there_is_enough(void **state)
{
    const struct gw_bytes names[] = {name_of("blue"), name_of("red"), name_of("green")};
    const struct reach reach = {.kind = INTEREST_GROUPS, .names = names, .n = ARRAY_LEN(names)};
    struct scene s = {.gw.io = &knowing};
    assert_true(reach_may_be_at(&s.gw, &reach, holder));
    assert_int_equal(s.asked_n, 2);
    assert_false(reach_may_be_at(&s.gw, &reach, other));
    assert_int_equal(s.asked_n, 5);
}

static void groups_and_uids_are_told_apart(void **state)
{
    const struct gw_bytes names[] = {name_of("ann")};
    struct reach reach = {.kind = INTEREST_GROUPS, .names = names, .n = 1};
    struct scene s = {.gw.io = &knowing};
    assert_false(reach_may_be_at(&s.gw, &reach, holder));
    reach.kind = INTEREST_UIDS;
    assert_true(reach_may_be_at(&s.gw, &reach, holder));
}

/* A command for nobody reaches nobody; one for everybody is not about names at all. */
static void no_names_and_no_reach(void **state)
{
    const struct reach nobody = {.kind = INTEREST_GROUPS};
    struct scene s = {.gw.io = &knowing};
    assert_false(reach_may_be_at(&s.gw, &nobody, holder));
    assert_true(reach_may_be_at(&s.gw, NULL, other));
    assert_int_equal(s.asked_n, 0);
}

/* Outside of a worker nobody tells: all are reckoned with. */
static void who_is_told_nothing_asks_everywhere(void **state)
{
    const struct gw_bytes names[] = {name_of("blue")};
    const struct reach reach = {.kind = INTEREST_GROUPS, .names = names, .n = 1};
    struct gw gw = {.io = &outside};
    assert_true(reach_may_be_at(&gw, &reach, holder));
    assert_true(reach_may_be_at(&gw, &reach, other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_name_that_is_there_is_enough),
        cmocka_unit_test(groups_and_uids_are_told_apart),
        cmocka_unit_test(no_names_and_no_reach),
        cmocka_unit_test(who_is_told_nothing_asks_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Long work lets others have their turn, and only then. */
#include "client/breath.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/mem.h"
#include "client/io.h"
#include "client/reply.h"
#include "support/fake_clock.h"

static uint32_t breaths_n;

static void breathe(struct gw *gw)
{
    breaths_n++;
}

static const struct gw_io io = {.breathe = breathe};
static const struct gw_io alone = {0};

static int start(void **state)
{
    breaths_n = 0;
    fake_clock_start(1000);
    return 0;
}

static int end(void **state)
{
    fake_clock_stop();
    return 0;
}

static void steps(struct breath *b, int n)
{
    for (int i = 0; i < n; i++)
        breath_step(b);
}

static void waits_when_its_time_is_up(void **state)
{
    struct gw gw = {.io = &io};
    struct breath b = {.gw = &gw};
    steps(&b, 10 * BREATH_STEPS);
    assert_int_equal(breaths_n, 0);
    fake_clock_advance(BREATH_MAX_US / 1000);
    steps(&b, BREATH_STEPS - 1);
    assert_int_equal(breaths_n, 0);
    steps(&b, 1);
    assert_int_equal(breaths_n, 1);
    steps(&b, 10 * BREATH_STEPS);
    assert_int_equal(breaths_n, 1);
}

static void never_waits_where_nobody_else_is(void **state)
{
    struct gw gw = {.io = &alone};
    struct breath b = {.gw = &gw}, none = {0};
    for (int i = 0; i < 10; i++) {
        steps(&b, BREATH_STEPS);
        steps(&none, BREATH_STEPS);
        fake_clock_advance(10);
    }
    assert_int_equal(breaths_n, 0);
}

static void pass_time(void *arg)
{
    fake_clock_advance(1);
    breath_step(arg);
}

/* Decoding and listing take a breath as often as they must, and the list is that of no breath. */
static void an_answer_is_read_in_portions(void **state)
{
    enum { N = 1000 };
    struct gw gw = {.io = &io};
    struct fanout_target target = {.at = {.ip = 0x7f000001, .port = 2300}};
    struct fanout f = {.targets = &target, .n = 1, .breath = {.gw = &gw}};
    struct buf answer = {0};
    int err;
    php_put_array(&answer, N);
    for (int64_t id = 1; id <= N; id++) {
        php_put_int(&answer, id);
        php_put_string(&answer, span_str("a:0:{}"));
    }
    php_put_array_end(&answer);
    target.doc = php_doc_new();
    target.value = php_read_in_steps(target.doc, buf_span(&answer), &err, pass_time, &f.breath);
    assert_non_null(target.value);
    assert_in_range(breaths_n, 5, N / BREATH_STEPS);
    const struct gw_client_list *list = reply_sessions(&f, NULL, span_of(NULL, 0));
    assert_int_equal(list->n, N);
    assert_string_equal(list->clients[0].id, "7f00000108fc00000001");
    assert_string_equal(list->clients[N - 1].id, "7f00000108fc000003e8");
    gw_result_free(list);
    php_doc_free(target.doc);
    buf_fini(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(waits_when_its_time_is_up, start, end),
        cmocka_unit_test_setup_teardown(never_waits_where_nobody_else_is, start, end),
        cmocka_unit_test_setup_teardown(an_answer_is_read_in_portions, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Waiting events come out as they went in. */
#include "gateway/backlog.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct wire_packet event(uint32_t id, const char *body)
{
    return (struct wire_packet){.cmd = CMD_ON_MESSAGE,
                                .flag = WIRE_SCALAR | WIRE_BINARY,
                                .connection_id = id,
                                .ext = span_str("session"),
                                .body = span_str(body)};
}

static void first_in_first_out(void **state)
{
    struct backlog b = {0};
    for (uint32_t i = 1; i <= 1000; i++) {
        struct wire_packet e = event(i, "some text");
        backlog_add(&b, 5000 + i, &e);
    }
    assert_int_equal(b.events_n, 1000);
    struct wire_packet out;
    uint64_t at_ms;
    for (uint32_t i = 1; i <= 1000; i++, backlog_drop_first(&b)) {
        assert_true(backlog_first(&b, &out, &at_ms));
        assert_int_equal(out.connection_id, i);
        assert_int_equal(at_ms, 5000 + i);
        assert_int_equal(out.flag, WIRE_SCALAR | WIRE_BINARY);
        assert_true(span_is(out.ext, "session"));
        assert_true(span_is(out.body, "some text"));
    }
    assert_false(backlog_first(&b, &out, &at_ms));
    assert_int_equal(backlog_bytes(&b), 0);
    backlog_fini(&b);
}

static void taking_empties(void **state)
{
    struct backlog b = {0};
    struct wire_packet e = event(7, "");
    backlog_add(&b, 1, &e);
    struct backlog all = backlog_take(&b);
    assert_int_equal(b.events_n, 0);
    assert_int_equal(backlog_bytes(&b), 0);
    backlog_add(&b, 2, &e); /* while the taken ones are handed out */
    assert_int_equal(all.events_n, 1);
    struct wire_packet out;
    uint64_t at_ms;
    assert_true(backlog_first(&all, &out, &at_ms));
    assert_int_equal(at_ms, 1);
    backlog_fini(&all);
    backlog_fini(&b);
}

static void an_emptied_one_keeps_little_memory(void **state)
{
    struct backlog b = {0};
    static char big[1 << 20];
    struct wire_packet e = {.cmd = CMD_ON_MESSAGE, .body = span_of(big, sizeof(big))};
    backlog_add(&b, 1, &e);
    backlog_drop_first(&b);
    assert_in_range(b.bytes.cap, 0, 256 * 1024);
    backlog_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_in_first_out),
        cmocka_unit_test(taking_empties),
        cmocka_unit_test(an_emptied_one_keeps_little_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

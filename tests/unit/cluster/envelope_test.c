/* The head of every message on NATS: written, read, and cut at every byte. */
#include "cluster/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct gateway_at one = {.ip = 0x7f000001, .port = 2300};
static const struct gateway_at other = {.ip = 0x0a000002, .port = 2301};

static void order_has_this_layout(void **state)
{
    static const uint8_t expected[] = {1, 1, 0,    2,    0, 1, 2, 3, 0x7f, 0,   0,
                                       1, 8, 0xfc, 0x0a, 0, 0, 2, 8, 0xfd, 'p', 'q'};
    struct buf spared = {0};
    struct buf out = {0};
    struct envelope e;

    envelope_put_spared(&spared, one);
    envelope_put_spared(&spared, other);
    envelope_put(&out, &(struct envelope){.kind = ENVELOPE_ORDER,
                                          .question = 0x00010203,
                                          .spared = buf_span(&spared)});
    buf_puts(&out, "pq");
    assert_int_equal(out.len, sizeof expected);
    assert_memory_equal(out.at, expected, sizeof expected);

    assert_true(envelope_read(buf_span(&out), &e));
    assert_int_equal(e.kind, ENVELOPE_ORDER);
    assert_int_equal(e.question, 0x00010203);
    assert_true(span_is(e.rest, "pq"));
    assert_true(envelope_spares(&e, one));
    assert_true(envelope_spares(&e, other));
    assert_false(envelope_spares(&e, (struct gateway_at){.ip = one.ip, .port = other.port}));
    for (size_t len = 0; len < sizeof expected - 2; len++)
        assert_false(envelope_read(span_of(expected, len), &e));
    buf_fini(&spared);
    buf_fini(&out);
}

static void every_kind_comes_back(void **state)
{
    for (int kind = ENVELOPE_ORDER; kind <= ENVELOPE_WHO; kind++) {
        struct buf out = {0};
        struct envelope e;
        bool has_at = kind >= ENVELOPE_ANSWER && kind <= ENVELOPE_LEFT;
        bool has_life = kind == ENVELOPE_HERE || kind == ENVELOPE_LEFT;
        envelope_put(&out, &(struct envelope){.kind = (enum envelope_kind)kind,
                                              .question = 5,
                                              .at = other,
                                              .life = 0x0102030405060708});
        size_t head = out.len;
        buf_puts(&out, "rest");
        assert_true(envelope_read(buf_span(&out), &e));
        assert_int_equal(e.kind, kind);
        assert_true(gateway_at_eq(e.at, has_at ? other : (struct gateway_at){0}));
        assert_int_equal(e.life, has_life ? 0x0102030405060708 : 0);
        assert_true(span_is(e.rest, "rest"));
        for (size_t len = 0; len < head; len++)
            assert_false(envelope_read(span_of(out.at, len), &e));
        buf_fini(&out);
    }
}

static void foreign_bytes_are_refused(void **state)
{
    uint8_t bytes[16] = {1, ENVELOPE_ORDER};
    struct envelope e;

    assert_true(envelope_read(span_of(bytes, sizeof bytes), &e));
    bytes[0] = 2;
    assert_false(envelope_read(span_of(bytes, sizeof bytes), &e));
    bytes[0] = 1;
    bytes[1] = 0;
    assert_false(envelope_read(span_of(bytes, sizeof bytes), &e));
    bytes[1] = ENVELOPE_WHO + 1;
    assert_false(envelope_read(span_of(bytes, sizeof bytes), &e));
    bytes[1] = ENVELOPE_ORDER;
    bytes[2] = bytes[3] = 0xff;
    assert_false(envelope_read(span_of(bytes, sizeof bytes), &e));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_has_this_layout),
        cmocka_unit_test(every_kind_comes_back),
        cmocka_unit_test(foreign_bytes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Server-sent events and posted messages of the fallback, byte for byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <gw/err.h>

#include "proto/sse.h"

static void expect(struct buf *got, const char *want)
{
    if (!span_is(buf_span(got), want))
        fail_msg("got \"%s\", want \"%s\"", buf_cstr(got), want);
    buf_fini(got);
}

/* HTML, "Server-sent events": a line end of any kind ends a line of data. */
static void test_events(void **state)
{
    static const struct {
        const char *text, *want;
    } texts[] = {
        {"hello", "id: 7\ndata: hello\n\n"},
        {"", "id: 7\ndata: \n\n"},
        {"a\nb", "id: 7\ndata: a\ndata: b\n\n"},
        {"a\r\nb\rc\n", "id: 7\ndata: a\ndata: b\ndata: c\ndata: \n\n"},
        {"\n\nevent: close", "id: 7\ndata: \ndata: \ndata: event: close\n\n"},
    };
    struct buf out = {0};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        sse_put_message(&out, 7, span_str(texts[i].text), false);
        expect(&out, texts[i].want);
    }
    sse_put_message(&out, 8, span_of("\0\xff", 2), true);
    expect(&out, "id: 8\nevent: binary\ndata: AP8=\n\n");
    sse_put_message(&out, 9, span_of(NULL, 0), true);
    expect(&out, "id: 9\nevent: binary\ndata: \n\n");
    sse_put_event(&out, "open", span_str("{}"));
    expect(&out, "event: open\ndata: {}\n\n");
}

static void test_posted_messages(void **state)
{
    struct span body = span_of("5t:hello0t:3b:\0\n:", 17);
    struct sse_message m;

    (void)state;
    assert_int_equal(sse_next_message(&body, &m), 1);
    assert_true(span_is(m.payload, "hello") && !m.is_binary);
    assert_int_equal(sse_next_message(&body, &m), 1);
    assert_true(m.payload.len == 0 && !m.is_binary);
    assert_int_equal(sse_next_message(&body, &m), 1);
    assert_true(span_eq(m.payload, span_of("\0\n:", 3)) && m.is_binary);
    assert_int_equal(sse_next_message(&body, &m), 0);
}

static void test_what_is_no_message(void **state)
{
    static const char *const bad[] = {"5",
                                      "5t",
                                      "t:",
                                      "5t:hell",
                                      "-1t:",
                                      "5x:hello",
                                      "5t hello",
                                      "99999999999t:",
                                      "18446744073709551616t:",
                                      " 1t:a",
                                      "1t:ab"};
    struct sse_message m;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct span body = span_str(bad[i]);
        int rc;
        while ((rc = sse_next_message(&body, &m)) > 0)
            ;
        if (rc != GW_EPROTO)
            fail_msg("taken: %s", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_posted_messages),
        cmocka_unit_test(test_what_is_no_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

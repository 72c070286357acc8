/* Raw TCP: what came at once is one message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/feed.h"

static void expect_events(size_t max, unsigned how, const char *events)
{
    const struct codec_conf conf = {.message_max_bytes = max};
    struct feed f;
    feed_init(&f, &tcp_codec, &conf);
    feed_cut(&f, span_of("ab\0d", 4), how);
    assert_string_equal(feed_events(&f), events);
    feed_fini(&f);
}

static void test_pieces_are_messages(void **unused)
{
    expect_events(0, 0, "text 4 ab\\x00d\n");
    expect_events(0, 1, "text 1 a\ntext 1 b\ntext 1 \\x00\ntext 1 d\n");
    expect_events(4, 0, "text 4 ab\\x00d\n");
    expect_events(3, 0, "text 3 ab\\x00\ntext 1 d\n");
}

static void test_encode(void **unused)
{
    uint8_t to[4];
    assert_int_equal(tcp_codec.encode(to, span_of("a\0b", 3), true), 3);
    assert_memory_equal(to, "a\0b", 3);
    assert_int_equal(tcp_codec.encode(to, span_str(""), false), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces_are_messages),
        cmocka_unit_test(test_encode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

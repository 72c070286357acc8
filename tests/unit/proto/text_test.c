/* The Text protocol against vectors of its own and of vectors/client-protocols.json (text). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/vector.h"

static const struct vector vectors[] = {
    {"line", BYTES("hello\n"), "text 5 hello\n", {0}},
    {"two", BYTES("a\nb\n"), "text 1 a\ntext 1 b\n", {0}},
    {"crlf", BYTES("a\r\n\r\n"), "text 1 a\ntext 0 \n", {0}},
    {"several_cr", BYTES("a\r\r\r\nb"), "text 1 a\n", {0}},
    {"cr_inside", BYTES("a\rb\r\n"), "text 3 a\\x0db\n", {0}},
    {"partial", BYTES("partial\n"), "text 7 partial\n", {0}},
    {"no_newline", BYTES("xyz"), "", {0}},
    {"empty_line", BYTES("\n"), "text 0 \n", {0}},
    {"any_byte", BYTES("\0\xff\n"), "text 2 \\x00\\xff\n", {0}},
    {"longest", BYTES("0123456789\n0123456789\n"), "text 10 0123456789\ntext 10 0123456789\n", {0}},
    {"too_long", BYTES("ok\n0123456789x\n"), "text 2 ok\nerror -1003\n", {0}},
    {"too_long_without_end", BYTES("0123456789x"), "error -1003\n", {0}},
    {"cr_counts", BYTES("0123456789\r\n"), "error -1003\n", {0}},
};

static void test_vectors(void **unused)
{
    static const struct codec_conf conf = {.message_max_bytes = 10};
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++)
        vector_check(&text_codec, &conf, (struct span){0}, &vectors[i]);
}

/* A line that trickles in is searched once: a \n that appears where the codec looked already must
 * go unseen. */
static void test_searched_bytes_are_not_read_again(void **unused)
{
    static const struct codec_conf conf = {0};
    uint64_t state = 0;
    assert_true(text_codec.state_bytes <= sizeof(state));
    uint8_t line[] = "abcdef";
    struct codec_event ev;
    assert_int_equal(text_codec.decode(&state, &conf, line, 4, &ev, NULL), 0);
    line[1] = '\n';
    assert_int_equal(text_codec.decode(&state, &conf, line, 6, &ev, NULL), 0);
}

static void test_encode(void **unused)
{
    uint8_t to[8];
    assert_int_equal(text_codec.encode(to, span_str("hi"), false), 3);
    assert_memory_equal(to, "hi\n", 3);
    assert_int_equal(text_codec.encode(to, span_str(""), true), 1); /* vector kick_empty */
    assert_memory_equal(to, "\n", 1);
    assert_null(text_codec.encode_close);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_searched_bytes_are_not_read_again),
        cmocka_unit_test(test_encode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

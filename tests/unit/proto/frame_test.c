/* The Frame protocol against vectors of its own and of vectors/client-protocols.json (frame). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/vector.h"

static const struct vector vectors[] = {
    {"one", BYTES("\0\0\0\x09hello"), "text 5 hello\n", {0}},
    {"two",
     BYTES("\0\0\0\x05"
           "a\0\0\0\x05"
           "b"),
     "text 1 a\ntext 1 b\n",
     {0}},
    {"empty", BYTES("\0\0\0\x04"), "text 0 \n", {0}},
    {"short_len", BYTES("\0\0\0\x03"), "error -1002\n", {0}},
    {"zero", BYTES("\0\0\0\0x"), "error -1002\n", {0}},
    {"split",
     BYTES("\0\0\0\x07"
           "abc"),
     "text 3 abc\n",
     {0}},
    {"part_of_head", BYTES("\0\0\0"), "", {0}},
    {"part_of_payload", BYTES("\0\0\0\x06x"), "", {0}},
    {"longest",
     BYTES("\0\0\0\x0e"
           "0123456789"),
     "text 10 0123456789\n",
     {0}},
    {"too_long", BYTES("\0\0\0\x0f"), "error -1003\n", {0}},
    {"too_big",
     BYTES("\x7f\xff\xff\xff"
           "abc"),
     "error -1003\n",
     {0}},
    {"highest_bit", BYTES("\xff\xff\xff\xff"), "error -1003\n", {0}},
};

static void test_vectors(void **unused)
{
    static const struct codec_conf conf = {.message_max_bytes = 10};
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++)
        vector_check(&frame_codec, &conf, (struct span){0}, &vectors[i]);
}

static void test_encode(void **unused)
{
    uint8_t to[8];
    assert_int_equal(frame_codec.encode(to, span_str("hi"), false), 6);
    assert_memory_equal(to, "\0\0\0\x06hi", 6);
    assert_int_equal(frame_codec.encode(to, span_str(""), false), 4);
    assert_memory_equal(to, "\0\0\0\x04", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_encode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

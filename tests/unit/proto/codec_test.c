/* Client protocols are found by the names that config files use. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/codec.h"

static void test_find(void **unused)
{
    assert_ptr_equal(codec_find(span_str("websocket")), &ws_codec);
    assert_ptr_equal(codec_find(span_str("text")), &text_codec);
    assert_ptr_equal(codec_find(span_str("frame")), &frame_codec);
    assert_ptr_equal(codec_find(span_str("tcp")), &tcp_codec);
    assert_ptr_equal(codec_find(span_str("http")), &http_codec);
    assert_null(codec_find(span_str("")));
    assert_null(codec_find(span_str("TEXT")));
    assert_null(codec_find(span_str("textual")));
    assert_null(codec_find(span_str("tex")));
    assert_null(codec_find(span_str("wire")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_find)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

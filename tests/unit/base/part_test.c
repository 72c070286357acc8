/* part: what was put comes out, and nothing that is cut short does. */
#include "base/part.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/tmpdir.h"

static void comes_out_in_order(void **state)
{
    struct buf b = {0};
    struct span rest, part;
    part_put(&b, span_str("one"));
    part_put(&b, span_of(NULL, 0));
    part_put(&b, span_str("three"));
    rest = buf_span(&b);
    assert_true(part_take(&rest, &part) && span_is(part, "one"));
    assert_true(part_take(&rest, &part) && part.len == 0);
    assert_true(part_take(&rest, &part) && span_is(part, "three"));
    assert_int_equal(rest.len, 0);
    assert_false(part_take(&rest, &part));
    buf_fini(&b);
}

static void cut_short_is_none(void **state)
{
    struct buf b = {0};
    struct span part;
    part_put(&b, span_str("some bytes"));
    for (size_t len = 0; len < b.len; len++) {
        struct span rest = span_of(b.at, len);
        assert_false(part_take(&rest, &part));
        assert_int_equal(rest.len, len);
    }
    buf_fini(&b);
}

static void files(void **state)
{
    struct tmpdir dir = tmpdir_make();
    struct buf b = {0};
    struct span part;
    assert_int_equal(part_put_file(&b, tmpdir_write(&dir, "a", "12345"), 5), 0);
    struct span rest = buf_span(&b);
    assert_true(part_take(&rest, &part) && span_is(part, "12345"));
    size_t before = b.len;
    assert_int_equal(part_put_file(&b, tmpdir_write(&dir, "b", "123456"), 5), -EFBIG);
    assert_int_equal(part_put_file(&b, "/no/such/file", 5), -ENOENT);
    assert_int_equal(part_put_file(&b, "/", 5), -EISDIR);
    assert_int_equal(part_put_file(&b, "/dev/null", 5), -EINVAL);
    assert_int_equal(b.len, before);
    buf_fini(&b);
    tmpdir_remove(&dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_out_in_order),
        cmocka_unit_test(cut_short_is_none),
        cmocka_unit_test(files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* PHP values from hostile peers, serialized or as JSON: what is read can be written and read again.
 */
#include <stdlib.h>

#include "fuzz/both_ways.h"
#include "proto/phpser.h"

static struct php_value *read_or_abort(struct php_doc *d, struct span in)
{
    int err = 1;
    struct php_value *v = php_read(d, in, &err);

    if (!v || err != 0)
        abort();
    return v;
}

/* NAN alone is not equal to itself. */
static bool holds_nan(struct span serialized)
{
    return memmem(serialized.at, serialized.len, "d:NAN;", 6) != NULL;
}

static void check_serialized(struct php_doc *d, const struct php_value *v)
{
    struct buf once = {0}, twice = {0};

    php_write(v, &once);
    const struct php_value *again = read_or_abort(d, buf_span(&once));
    php_write(again, &twice);
    if (!span_eq(buf_span(&once), buf_span(&twice)))
        abort();
    if (!holds_nan(buf_span(&once)) && !php_is_equal(v, again))
        abort();
    buf_fini(&once);
    buf_fini(&twice);
}

/* Written as JSON and read again, the value writes the same JSON; but the float -0.0 is written as
 * -0, and PHP reads that as the integer 0. */
static void check_json(struct php_doc *d, const struct php_value *v, bool is_unescaped)
{
    struct buf once = {0}, twice = {0};

    if (php_write_json(v, is_unescaped, &once)) {
        const struct php_value *again = php_read_json(d, buf_span(&once));
        if (!again || !php_write_json(again, is_unescaped, &twice))
            abort();
        if (!span_eq(buf_span(&once), buf_span(&twice)) && !memmem(once.at, once.len, "-0", 2))
            abort();
    } else if (once.len != 0) {
        abort();
    }
    buf_fini(&once);
    buf_fini(&twice);
}

/* A session updated by itself stays as it is. */
static void check_merge(struct php_doc *d, const struct php_value *v)
{
    struct buf before = {0}, after = {0};

    if (php_type(v) == PHP_ARRAY) {
        php_write(v, &before);
        php_write(php_merge(d, v, v), &after);
        if (!span_eq(buf_span(&before), buf_span(&after)))
            abort();
    }
    buf_fini(&before);
    buf_fini(&after);
}

static void check_value(struct php_doc *d, const struct php_value *v)
{
    if (!v)
        return;
    check_serialized(d, v);
    check_json(d, v, false);
    check_json(d, v, true);
    check_merge(d, v);
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    struct php_doc *d = php_doc_new();
    int err = 1;
    const struct php_value *v = php_read(d, span_of(at, len), &err);

    if ((v != NULL) != (err == 0))
        abort();
    check_value(d, v);
    check_value(d, php_read_json(d, span_of(at, len)));
    php_doc_free(d);
    return 0;
}

/* Handshakes and query strings from hostile clients: what workers are told of them can be read. */
#include <stdlib.h>

#include "fuzz/both_ways.h"
#include "proto/php_request.h"
#include "proto/phpser.h"

/* Workers read with our limits, and PHP's own serialize() would write these very bytes. */
static void check_readable(struct span serialized)
{
    struct php_doc *d = php_doc_new();
    struct buf again = {0};
    int err = 1;
    const struct php_value *v = php_read(d, serialized, &err);

    if (!v)
        abort();
    php_write(v, &again);
    if (!span_eq(buf_span(&again), serialized))
        abort();
    buf_fini(&again);
    php_doc_free(d);
}

static void check_request(struct span head)
{
    struct http_request r;
    struct buf out = {0};

    if (http_parse_request(head, 4096, &r) > 0) {
        php_put_request(&out, &r, "127.0.0.1", 1, 2, span_of(NULL, 0));
        check_readable(buf_span(&out));
    }
    buf_fini(&out);
}

static void check_query(struct span query)
{
    struct php_doc *d = php_doc_new();
    struct buf out = {0};

    php_write(php_parse_query(d, query), &out);
    check_readable(buf_span(&out));
    buf_fini(&out);
    php_doc_free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    check_request(span_of(at, len));
    check_query(span_of(at, len));
    return 0;
}

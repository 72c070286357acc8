/* PROXY headers from hostile peers: nothing beyond the input is read, no length beyond it told. */
#include <stdlib.h>

#include "base/span.h"
#include "fuzz/both_ways.h"
#include "proto/proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    struct proxy_head head, shorter;
    ssize_t n = proxy_parse(span_of(at, len), &head);
    if (n > (ssize_t)len || n > PROXY_HEAD_MAX)
        abort();
    /* The bytes behind a header do not belong to it, and no part of it is one. */
    if (n > 0 && (proxy_parse(span_of(at, (size_t)n), &shorter) != n ||
                  proxy_parse(span_of(at, (size_t)n - 1), &shorter) != 0))
        abort();
    return 0;
}

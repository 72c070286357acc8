/* Bodies that fallback clients post: what is read must lie in the body, and be one event. */
#include <stdlib.h>
#include <string.h>

#include <gw/err.h>

#include "fuzz/both_ways.h"
#include "proto/sse.h"

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    struct span rest = span_of(at, len);
    struct sse_message m;
    struct buf event = {0};
    int rc;

    while ((rc = sse_next_message(&rest, &m)) > 0) {
        if (m.payload.at < at || m.payload.at + m.payload.len > at + len)
            abort();
        buf_clear(&event);
        sse_put_message(&event, 1, m.payload, m.is_binary);
        /* An event has one end: a text cannot begin another. */
        const uint8_t *end = memmem(event.at, event.len, "\n\n", 2);
        if (!end || end + 2 != event.at + event.len)
            abort();
    }
    if (rc != 0 && rc != GW_EPROTO)
        abort();
    if (rc == 0 && rest.len != 0)
        abort();
    buf_fini(&event);
    return 0;
}

/* Events that wait for a worker: whole packets in order, with the time of their arrival. */
#include "gateway/backlog.h"

#include <string.h>

#include "base/bytes.h"
#include "base/log.h"

enum {
    STAMP = sizeof(uint64_t),
    KEEP_BYTES = 256 * 1024, /* memory that an empty backlog may hold on to */
};

void backlog_fini(struct backlog *b)
{
    buf_fini(&b->bytes);
    b->events_n = 0;
}

void backlog_add(struct backlog *b, uint64_t now_ms, const struct wire_packet *event)
{
    size_t size = wire_size(event);
    uint8_t *to = buf_reserve(&b->bytes, STAMP + size);
    memcpy(to, &now_ms, STAMP);
    wire_encode(to + STAMP, event);
    buf_commit(&b->bytes, STAMP + size);
    b->events_n++;
}

bool backlog_first(const struct backlog *b, struct wire_packet *event, uint64_t *at_ms)
{
    if (b->events_n == 0)
        return false;
    memcpy(at_ms, b->bytes.at, STAMP);
    if (wire_decode(span_skip(buf_span(&b->bytes), STAMP), SIZE_MAX, event) <= 0)
        log_fatal("a waiting event does not decode");
    return true;
}

void backlog_drop_first(struct backlog *b)
{
    /* A packet begins with its own length: vectors/README.md. */
    buf_consume(&b->bytes, STAMP + get_u32be(b->bytes.at + STAMP));
    if (--b->events_n == 0 && b->bytes.cap > KEEP_BYTES)
        buf_fini(&b->bytes);
}

struct backlog backlog_take(struct backlog *b)
{
    struct backlog all = *b;
    *b = (struct backlog){0};
    return all;
}

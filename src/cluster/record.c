/* What the loop and the threads of NATS tell one another: records in a row, in a byte buffer. */
#include "cluster/record.h"

#include <string.h>

void record_put(struct buf *to, enum record_kind kind, const char *subject, const char *reply,
                struct span data)
{
    struct record r = {.data_len = (uint32_t)data.len,
                       .subject_len = (uint16_t)strlen(subject),
                       .reply_len = (uint16_t)strlen(reply),
                       .kind = (uint8_t)kind};

    buf_put(to, &r, sizeof r);
    buf_put(to, subject, (size_t)r.subject_len + 1);
    buf_put(to, reply, (size_t)r.reply_len + 1);
    buf_put_span(to, data);
}

size_t record_get(struct span from, struct record *r, const char **subject, const char **reply,
                  struct span *data)
{
    memcpy(r, from.at, sizeof *r);
    *subject = (const char *)from.at + sizeof *r;
    *reply = *subject + r->subject_len + 1;
    *data = span_of(*reply + r->reply_len + 1, r->data_len);
    return record_bytes(r->subject_len, r->reply_len, r->data_len);
}

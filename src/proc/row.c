/* Lines between a process and its master: rows of status and connections as tab-separated text. */
#include "proc/row.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <gw/err.h>

ssize_t row_lines(const uint8_t *at, size_t len, row_line_fn *fn, void *ctx)
{
    struct span rest = span_of(at, len);
    for (;;) {
        ptrdiff_t end = span_find(rest, '\n');
        if (end < 0)
            return rest.len > ROW_LINE_MAX ? GW_ETOOBIG : (ssize_t)(len - rest.len);
        if (end > ROW_LINE_MAX)
            return GW_ETOOBIG;
        struct span line = span_of(rest.at, (size_t)end);
        rest = span_skip(rest, (size_t)end + 1);
        if (!fn(ctx, line))
            return (ssize_t)(len - rest.len);
    }
}

static void put_text(struct buf *out, const char *text)
{
    for (; text && *text; text++)
        buf_putc(out, (uint8_t)*text < ' ' || *text == 127 ? '?' : (uint8_t)*text);
}

static bool get_number(struct span *line, uint64_t *out)
{
    return span_to_u64(span_cut(line, '\t'), out);
}

static bool get_text(struct span *line, char *out, size_t out_bytes)
{
    struct span text = span_cut(line, '\t');
    if (text.len >= out_bytes)
        return false;
    if (text.len > 0)
        memcpy(out, text.at, text.len);
    out[text.len] = '\0';
    return true;
}

/* All numbers of a status row, in the order in which they travel. */
#define FIELD(name) offsetof(struct role_status, name)
static const size_t numbers[] = {
    FIELD(connections_n), FIELD(send_fail_n), FIELD(timers_n),       FIELD(requests_n),
    FIELD(uids_n),        FIELD(groups_n),    FIELD(queued_bytes),   FIELD(dropped_n),
    FIELD(lost_n),        FIELD(drop_new_n),  FIELD(drop_old_n),     FIELD(slow_closed_n),
    FIELD(slow_n),        FIELD(refused_n),   FIELD(limited_n),      FIELD(silent_n),
    FIELD(delivered_n),   FIELD(read_bytes),  FIELD(written_bytes),  FIELD(links_n),
    FIELD(sends_n),       FIELD(unheard_n),   FIELD(interest_bytes), FIELD(beyond_n),
    FIELD(nats_in_n),     FIELD(nats_out_n),  FIELD(nats_lost_n),    FIELD(join_refused_n),
};
#undef FIELD

void row_put_status(struct buf *out, const struct role_status *s)
{
    put_text(out, s->listening);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        uint64_t number;
        memcpy(&number, (const char *)s + numbers[i], sizeof number);
        buf_printf(out, "\t%" PRIu64, number);
    }
}

bool row_get_status(struct span line, struct role_status *out)
{
    *out = (struct role_status){0};
    if (!get_text(&line, out->listening, sizeof out->listening))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        uint64_t number;
        if (!get_number(&line, &number))
            return false;
        memcpy((char *)out + numbers[i], &number, sizeof number);
    }
    return line.len == 0;
}

void row_put_connection(struct buf *out, const struct role_connection *c)
{
    buf_printf(out, "%" PRIu64 "\t", c->id);
    put_text(out, c->transport);
    buf_putc(out, '\t');
    put_text(out, c->protocol);
    buf_printf(out, "\t%d\t", c->is_ipv6);
    put_text(out, c->state);
    buf_printf(out, "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t", c->read_bytes,
               c->written_bytes, c->unread_bytes, c->unsent_bytes);
    put_text(out, c->local);
    buf_putc(out, '\t');
    put_text(out, c->remote);
}

bool row_get_connection(struct span line, struct row_connection *out)
{
    struct role_connection *c = &out->row;
    uint64_t is_ipv6 = 0;
    *out = (struct row_connection){
        .row = {.transport = out->transport, .protocol = out->protocol, .state = out->state}};
    if (!get_number(&line, &c->id) || !get_text(&line, out->transport, sizeof out->transport) ||
        !get_text(&line, out->protocol, sizeof out->protocol) || !get_number(&line, &is_ipv6) ||
        !get_text(&line, out->state, sizeof out->state) || !get_number(&line, &c->read_bytes) ||
        !get_number(&line, &c->written_bytes) || !get_number(&line, &c->unread_bytes) ||
        !get_number(&line, &c->unsent_bytes) || !get_text(&line, c->local, sizeof c->local) ||
        !get_text(&line, c->remote, sizeof c->remote))
        return false;
    c->is_ipv6 = is_ipv6 != 0;
    return line.len == 0;
}

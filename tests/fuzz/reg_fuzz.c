/* Register lines from hostile peers: what is understood can be said and understood again. */
#include <stdlib.h>
#include <string.h>

#include "fuzz/both_ways.h"
#include "proto/reg.h"

/* The line just written, without its end. */
static void parse_or_abort(const struct buf *written, enum reg_event event, struct reg_line *out)
{
    if (written->len == 0 || written->at[written->len - 1] != '\n' ||
        memchr(written->at, '\n', written->len - 1))
        abort();
    if (reg_parse(span_of(written->at, written->len - 1), out) != 0 || out->event != event)
        abort();
}

static void check_gateway(const struct reg_line *line)
{
    struct buf written = {0};
    struct reg_line again;

    if (!line->address)
        return;
    reg_put_gateway_connect(&written, line->address, line->secret);
    parse_or_abort(&written, REG_GATEWAY_CONNECT, &again);
    if (strcmp(again.address, line->address) != 0 || strcmp(again.secret, line->secret) != 0)
        abort();
    reg_line_fini(&again);
    buf_fini(&written);
}

static void check_broadcast(const struct reg_line *line)
{
    struct buf written = {0};
    struct reg_line again;

    reg_put_broadcast(&written, (const char *const *)line->addresses.at, line->addresses.len);
    parse_or_abort(&written, REG_BROADCAST, &again);
    if (again.addresses.len != line->addresses.len)
        abort();
    for (size_t i = 0; i < again.addresses.len; i++)
        if (strcmp(again.addresses.at[i], line->addresses.at[i]) != 0)
            abort();
    reg_line_fini(&again);
    buf_fini(&written);
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    struct reg_line line;

    if (reg_parse(span_of(at, len), &line) == 0) {
        check_gateway(&line);
        check_broadcast(&line);
    }
    reg_line_fini(&line);
    return 0;
}

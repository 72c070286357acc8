/* A gateway whose commands are sent by hand, and whose answers are compared with literals. */
#ifndef TEST_COMMAND_FIXTURE_H
#define TEST_COMMAND_FIXTURE_H

#include "gateway_fixture.h"
#include "phantoms.h"

/* One worker of ours; clients are phantoms (phantoms.h) or dialled. */
struct commands {
    struct gateway_bench b;
    struct gateway *g;
    int worker;
};

static inline void commands_begin(struct commands *s, const char *more)
{
    bench_start(&s->b, more);
    s->g = s->b.self;
    s->worker = attach(&s->b);
    turn(&s->b, 4);
}

static inline void commands_end(struct commands *s)
{
    close(s->worker);
    phantoms_remove(s->g);
    bench_end(&s->b);
}

/* A client without a connection, with the next id from 1. */
static inline struct client *commands_client(struct commands *s)
{
    struct client *c = clients_add(&s->g->clients);
    assert_non_null(c);
    return c;
}

static inline void commands_tell(const struct commands *s, int cmd, uint32_t id, const char *ext)
{
    put_cmd(s->worker, cmd, id, span_str(ext), span_of(NULL, 0));
    turn(&s->b, 4);
}

/* Sends a query and compares its answer. */
static inline void commands_ask(const struct commands *s, int cmd, uint32_t id, const char *ext,
                                const char *want)
{
    put_cmd(s->worker, cmd, id, span_str(ext), span_of(NULL, 0));
    struct wire_packet p = take_packet(&s->b, s->worker, CMD_REPLY);
    if (!span_is(p.body, want))
        fail_msg("%s: %.*s instead of %s", ext, (int)p.body.len, (const char *)p.body.at, want);
}

/* A query that gets no value: ours are told so. */
static inline void commands_ask_in_vain(const struct commands *s, int cmd, const char *ext)
{
    put_cmd(s->worker, cmd, 0, span_str(ext), span_of(NULL, 0));
    struct wire_packet p = take_packet(&s->b, s->worker, CMD_REPLY);
    assert_int_equal(p.flag & WIRE_SCALAR, WIRE_SCALAR);
}

#endif

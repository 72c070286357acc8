/* Clusters have tens of gateways, so lines are searched in order. */
#include "client/line_pool.h"

#include <gw/err.h>

#include "base/clock.h"
#include "client/command.h"

void line_pool_fini(struct line_pool *p)
{
    for (size_t i = 0; i < p->lines.len; i++)
        line_free(p->lines.at[i]);
    vec_fini(&p->lines);
}

static struct gateway_at place_of(const struct line *l)
{
    return (struct gateway_at){.ip = addr_ip4(&l->to), .port = l->to.port};
}

struct line *line_pool_get(struct line_pool *p, struct gateway_at at)
{
    for (size_t i = 0; i < p->lines.len; i++)
        if (gateway_at_eq(place_of(p->lines.at[i]), at))
            return p->lines.at[i];
    struct addr to = gateway_at_addr(at);
    struct line *l = line_new(&to, NULL, p->tls);
    vec_push(&p->lines, l);
    return l;
}

void line_pool_keep(struct line_pool *p, const struct addr_book *book)
{
    for (size_t i = p->lines.len; i-- > 0;) {
        struct line *l = p->lines.at[i];
        if (addr_book_has(book, place_of(l)))
            continue;
        line_free(l);
        vec_swap_remove(&p->lines, i);
    }
}

static bool is_resting(struct line *l)
{
    return l->rests_until_ms != 0 && clock_mono_ms() < l->rests_until_ms;
}

/* 0 with the line busy, or its error. */
static int begin(struct line *l, enum line_answer answer)
{
    if (!l->is_busy && is_resting(l))
        l->rc = GW_ETIMEOUT;
    else
        line_begin(l, answer);
    return l->is_busy ? 0 : l->rc;
}

int line_pool_put(struct line_pool *p, struct gateway_at at, const char *secret,
                  const struct wire_packet *packet, enum line_answer answer)
{
    struct wire_packet agreed = *packet;
    struct line *l = line_pool_get(p, at);
    int rc = begin(l, answer);

    if (rc < 0)
        return rc;
    /* The connection that it was agreed on is gone, and with it what the receipt would count. */
    if (packet->cmd == CMD_RECEIPT && !l->is_ours) {
        line_close(l);
        l->is_busy = false;
        l->rc = GW_ECLOSED;
        return l->rc;
    }
    if (!l->is_ours)
        agreed.flag = (uint8_t)(packet->flag & ~WIRE_BINARY);
    if (secret[0] != '\0')
        command_put_secret(&l->out, secret);
    wire_put(&l->out, &agreed);
    return 0;
}

/* Nobody answers an offer that is not understood. The query behind it is answered by everybody, so
 * that its answer tells that no CMD_HELLO will come; connection 0 is no client's. */
void line_pool_offer(struct line_pool *p, const struct addr_book *book, const char *secret,
                     uint64_t deadline_ms, uint64_t rest_ms)
{
    struct wire_packet query = command_of(CMD_IS_ONLINE);

    for (size_t i = 0; i < book->len; i++) {
        struct line *l = line_pool_get(p, book->at[i]);
        line_refresh(l);
        if (l->is_offered || begin(l, LINE_HELLO) < 0)
            continue;
        l->is_offered = true;
        command_put_offer(&l->out, secret);
        wire_put(&l->out, &query);
    }
    line_pool_run(p, deadline_ms, rest_ms);
}

void line_pool_run(struct line_pool *p, uint64_t deadline_ms, uint64_t rest_ms)
{
    lines_run((struct line *const *)(void *)p->lines.at, p->lines.len, deadline_ms);
    for (size_t i = 0; i < p->lines.len; i++) {
        struct line *l = p->lines.at[i];
        if (l->rc == GW_ETIMEOUT && !is_resting(l))
            l->rests_until_ms = clock_mono_ms() + rest_ms;
    }
}

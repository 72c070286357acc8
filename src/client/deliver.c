/* A receipt is a query right behind the send on the same connection, so that its answer tells what
 * that send reached; beyond our links the two travel in one message. Gateways that did not agree to
 * our extensions are sent to without one. */
#include "client/deliver.h"

#include "base/mem.h"
#include "client/command.h"
#include "client/io.h"
#include "client/result.h"

static bool wants_receipt(const struct delivery *d)
{
    return d->how && d->how->receipt;
}

/* Binary messages and receipts are ours. */
static void agree(struct gw *gw, const struct delivery *d, const struct addr_book *book)
{
    if (d->how && (d->how->receipt || d->how->is_binary) && gw->io->agree)
        gw->io->agree(gw, book);
}

static bool fit(struct gw *gw, struct gateway_at at, struct delivery *d)
{
    if (!d->fit)
        return true;
    if (!d->fit(gw, at, d->ctx))
        return false;
    d->packet.ext = buf_span(&gw->ext);
    return true;
}

/* ---- beyond our links ---- */

/* One publication serves all of them; a list of clients is for each gateway another one. */
static bool is_published(const struct gw *gw, const struct delivery *d,
                         const struct addr_book *book)
{
    return book->far_n > 0 && gw->io->publish && !d->is_for_one && !(d->how && d->how->only_ids);
}

/* The gateway of a client that is left out gets a packet of its own. */
static bool is_apart(const struct delivery *d, struct gateway_at at)
{
    for (size_t i = 0; d->fit && i < d->how->exclude_n; i++) {
        struct client_id id;
        if (client_id_parse(span_str(d->how->exclude_ids[i]), &id) == 0 &&
            gateway_at_eq(gateway_of(id), at))
            return true;
    }
    return false;
}

static bool is_served(const struct delivery *d, const struct addr_book *book, size_t pos)
{
    return pos >= book->len - book->far_n && !is_apart(d, book->at[pos]);
}

static int publish(struct gw *gw, const struct delivery *d)
{
    const struct gw_send *how = d->fit ? d->how : NULL;

    return gw->io->publish(gw, d->reach, &d->packet, how ? how->exclude_ids : NULL,
                           how ? how->exclude_n : 0);
}

/* ---- without a receipt ---- */

static int send_plain(struct gw *gw, struct delivery *d, const struct addr_book *book)
{
    bool has_far = is_published(gw, d, book);
    int first = has_far ? publish(gw, d) : 0;
    size_t queued_n = has_far && first == 0;

    for (size_t i = 0; i < book->len; i++) {
        if (has_far && is_served(d, book, i))
            continue;
        if (!reach_may_be_at(gw, d->reach, book->at[i]) || !fit(gw, book->at[i], d))
            continue;
        int rc = gw->io->send(gw, book->at[i], &d->packet);
        if (rc == 0)
            queued_n++;
        else if (first == 0)
            first = rc;
    }
    int rc = gw->io->settle(gw);
    if (first == 0 || rc == GW_EPARTIAL)
        return rc;
    return rc == 0 && queued_n > 0 ? GW_EPARTIAL : first;
}

/* ---- with a receipt ---- */

static void fill_receipt(struct gw_receipt *out, struct result *r, const struct fanout *f)
{
    struct gw_delivery *at = arena_alloc(&r->arena, f->n * sizeof *at);

    for (size_t i = 0; i < f->n; i++) {
        const struct fanout_target *t = &f->targets[i];
        char text[ADDR_TEXT_MAX];
        gateway_at_text(t->at, text);
        memcpy(at[i].address, text, strnlen(text, sizeof at[i].address - 1));
        at[i].rc = t->rc;
        at[i].receivers = t->value ? php_int(t->value) : t->is_left_out ? 0 : -1;
        if (at[i].receivers > 0)
            out->receivers += (uint64_t)at[i].receivers;
    }
    out->n = f->n;
    out->gateways = at;
}

static void ask_receipt(struct gw *gw, struct fanout *f)
{
    struct wire_packet p = command_of(CMD_RECEIPT);

    fanout_ask(gw, &p, PHP_INT, f);
    for (size_t i = 0; i < f->n; i++)
        if (f->targets[i].value && php_int(f->targets[i].value) < 0)
            fanout_refuse(&f->targets[i]);
}

static int send_counted(struct gw *gw, struct delivery *d, const struct addr_book *book)
{
    struct fanout f = {.targets = mem_zalloc(book->len * sizeof *f.targets)};
    bool has_far = is_published(gw, d, book);

    if (has_far)
        wire_put(&f.ahead, &d->packet);
    for (size_t i = 0; i < book->len; i++) {
        bool has_own = !has_far || !is_served(d, book, i);
        if (has_own && !fit(gw, book->at[i], d))
            continue;
        struct fanout_target *t = &f.targets[f.n++];
        t->at = book->at[i];
        if (i >= book->len - book->far_n) {
            if (has_own)
                wire_put(&t->ahead, &d->packet);
            continue;
        }
        t->is_left_out = !reach_may_be_at(gw, d->reach, t->at);
        t->is_silent = t->is_left_out || !gw->io->is_ours || !gw->io->is_ours(gw, t->at);
        if (!t->is_left_out)
            t->rc = gw->io->send(gw, t->at, &d->packet);
    }
    struct result *r = result_new();
    int rc = 0;
    if (f.n > 0) {
        ask_receipt(gw, &f);
        rc = fanout_rc(&f);
    }
    fill_receipt(&r->list.receipt, r, &f);
    *d->how->receipt = &r->list.receipt;
    fanout_fini(&f);
    return rc;
}

static int send_to(struct gw *gw, struct delivery *d, const struct addr_book *book)
{
    agree(gw, d, book);
    return wants_receipt(d) ? send_counted(gw, d, book) : send_plain(gw, d, book);
}

/* ---- to whom ---- */

static int to_all(struct gw *gw, struct delivery *d)
{
    const struct addr_book *book = NULL;
    int rc = gw->io->gateways(gw, &book);

    return rc < 0 ? rc : send_to(gw, d, book);
}

int deliver_to_all(struct gw *gw, struct delivery *d)
{
    if (wants_receipt(d))
        *d->how->receipt = NULL;
    io_begin(gw);
    int rc = to_all(gw, d);
    io_end(gw);
    return rc;
}

/* Only gateways that a registry names are sent anything: client ids may come from anybody. */
static int to_one(struct gw *gw, struct gateway_at at, struct delivery *d)
{
    const struct addr_book *book = NULL;
    struct addr_book one = {.at = &at, .len = 1};
    int rc = gw->io->gateways(gw, &book);

    if (rc < 0)
        return rc;
    one.far_n = addr_book_is_far(book, at);
    return addr_book_has(book, at) ? send_to(gw, d, &one) : GW_ENOGATEWAY;
}

int deliver_to_client(struct gw *gw, const char *client_id, struct delivery *d)
{
    struct client_id id;

    if (wants_receipt(d))
        *d->how->receipt = NULL;
    if (!client_id || client_id_parse(span_str(client_id), &id) < 0)
        return GW_EBADID;
    d->packet.connection_id = id.connection_id;
    d->is_for_one = true;
    io_begin(gw);
    int rc = to_one(gw, gateway_of(id), d);
    io_end(gw);
    return rc;
}

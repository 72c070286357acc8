/* A gateway that fails costs its own share only: the answers of the others stay. */
#include "client/fanout.h"

#include <gw/err.h>

#include "base/log.h"
#include "base/mem.h"
#include "client/io.h"

static void step(void *arg)
{
    breath_step(arg);
}

static void read_answer(struct fanout_target *t, struct breath *breath)
{
    int err = GW_EPROTO;

    t->doc = php_doc_new();
    t->value = php_read_in_steps(t->doc, buf_span(&t->answer), &err, step, breath);
    if (!t->value)
        t->rc = err;
    buf_fini(&t->answer);
}

void fanout_refuse(struct fanout_target *t)
{
    static _Thread_local struct log_rate rate; /* handles in other threads have theirs */
    char text[ADDR_TEXT_MAX];

    gateway_at_text(t->at, text);
    log_limited(&rate, LOG_WARN, "gateway %s answered something else than was asked for", text);
    t->rc = GW_EPROTO;
    t->value = NULL;
}

static void ask(struct gw *gw, const struct wire_packet *p, struct fanout *f)
{
    gw->io->ask(gw, p, f);
    f->breath = (struct breath){.gw = gw};
    for (size_t i = 0; i < f->n; i++)
        if (f->targets[i].rc >= 0 && !f->targets[i].is_silent)
            read_answer(&f->targets[i], &f->breath);
}

void fanout_ask(struct gw *gw, const struct wire_packet *p, enum php_type want, struct fanout *f)
{
    ask(gw, p, f);
    for (size_t i = 0; i < f->n; i++)
        if (f->targets[i].value && php_type(f->targets[i].value) != want)
            fanout_refuse(&f->targets[i]);
}

static void leave_out(struct gw *gw, const struct reach *reach, struct fanout *f)
{
    size_t asked_n = 0;

    for (size_t i = 0; i < f->n; i++) {
        struct fanout_target *t = &f->targets[i];
        t->is_left_out = !reach_may_be_at(gw, reach, t->at);
        t->is_silent = t->is_left_out;
        asked_n += !t->is_left_out;
    }
    if (asked_n == 0 && reach->wants_answer)
        f->targets[0].is_left_out = f->targets[0].is_silent = false;
}

static int ask_book(struct gw *gw, const struct reach *reach, const struct wire_packet *p,
                    enum php_type want, struct fanout *f)
{
    const struct addr_book *book = NULL;
    int rc = gw->io->gateways(gw, &book);

    if (rc < 0)
        return rc;
    f->n = book->len;
    f->targets = mem_zalloc(f->n * sizeof *f->targets);
    for (size_t i = 0; i < f->n; i++)
        f->targets[i].at = book->at[i];
    if (reach)
        leave_out(gw, reach, f);
    fanout_ask(gw, p, want, f);
    return fanout_rc(f);
}

int fanout_ask_about(struct gw *gw, const struct reach *reach, const struct wire_packet *p,
                     enum php_type want, struct fanout *f)
{
    *f = (struct fanout){0};
    io_begin(gw);
    int rc = ask_book(gw, reach, p, want, f);
    io_end(gw);
    return rc;
}

int fanout_ask_all(struct gw *gw, const struct wire_packet *p, enum php_type want, struct fanout *f)
{
    return fanout_ask_about(gw, NULL, p, want, f);
}

static int ask_listed(struct gw *gw, struct gateway_at at, const struct wire_packet *p,
                      struct fanout *f)
{
    const struct addr_book *book = NULL;
    int rc = gw->io->gateways(gw, &book);

    if (rc < 0)
        return rc;
    if (!addr_book_has(book, at))
        return GW_ENOTFOUND;
    f->n = 1;
    f->targets = mem_zalloc(sizeof *f->targets);
    f->targets[0].at = at;
    ask(gw, p, f);
    return f->targets[0].rc;
}

int fanout_ask_one(struct gw *gw, struct gateway_at at, const struct wire_packet *p,
                   struct fanout *f)
{
    *f = (struct fanout){0};
    io_begin(gw);
    int rc = ask_listed(gw, at, p, f);
    io_end(gw);
    return rc;
}

int fanout_rc(const struct fanout *f)
{
    size_t failures_n = 0;
    int first = 0;

    for (size_t i = 0; i < f->n; i++)
        if (f->targets[i].rc < 0 && failures_n++ == 0)
            first = f->targets[i].rc;
    if (failures_n == 0)
        return f->n > 0 ? 0 : GW_ENOGATEWAY;
    return failures_n < f->n ? GW_EPARTIAL : first;
}

void fanout_fini(struct fanout *f)
{
    for (size_t i = 0; i < f->n; i++) {
        buf_fini(&f->targets[i].ahead);
        buf_fini(&f->targets[i].answer);
        php_doc_free(f->targets[i].doc);
    }
    buf_fini(&f->ahead);
    mem_free(f->targets);
    *f = (struct fanout){0};
}

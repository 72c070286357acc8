/* Closed loop: each room's first member has one message in flight, until it has reached everybody.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench/cue.h"
#include "bench/hist.h"
#include "bench/report.h"
#include "bench/scenario.h"
#include "bench/window.h"

enum { STALL_US = 3 * 1000 * 1000 };

struct turnstile {
    uint32_t number; /* of the message in flight */
    unsigned left_n; /* who have not got it yet */
};

struct closed_run {
    struct fleet fleet;
    struct turnstile *rooms;
    uint64_t received_n;
    uint64_t missing_n;
    uint64_t doubled_n;
    uint64_t stray_n;
    bool is_over;
    bool is_warm;
    uint32_t last_us; /* when a message came last */
    struct hist latency;
};

static void send_next(struct closed_run *run, unsigned room)
{
    struct fleet *f = &run->fleet;
    struct client *c = fleet_publisher(f, room);
    struct turnstile *t = &run->rooms[room];
    struct stamp s = {STAMP_COUNTED, (uint16_t)room, t->number, fleet_now_us(f)};
    t->left_n = f->conf.members_n;
    fleet_publish(f, c, &s);
    fleet_flush(f, c);
}

static void on_stamp(struct fleet *f, struct client *c, const struct stamp *s)
{
    struct closed_run *run = f->owner;
    if (s->sender != c->seat.room) {
        run->stray_n++;
        return;
    }
    if (s->number < *c->expected) {
        run->doubled_n++;
        return;
    }
    run->missing_n += s->number - *c->expected;
    *c->expected = s->number + 1;
    run->received_n++;
    run->last_us = f->now_us;
    if (run->is_warm)
        hist_add(&run->latency, f->now_us > s->due_us ? f->now_us - s->due_us : 0);
    struct turnstile *t = &run->rooms[s->sender];
    if (--t->left_n > 0)
        return;
    t->number++;
    if (!run->is_over)
        send_next(run, s->sender);
}

/* A lost message stops its room; when all have stopped there is nothing left to wait for. */
static void run_until(struct closed_run *run, uint32_t until_us)
{
    struct fleet *f = &run->fleet;
    run->last_us = fleet_now_us(f);
    while (fleet_now_us(f) < until_us && f->now_us - run->last_us < STALL_US)
        fleet_turn(f, 10000);
}

static uint64_t outstanding_n(const struct closed_run *run)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < run->fleet.conf.rooms_n; i++)
        n += run->rooms[i].left_n;
    return n;
}

/* Nothing is under way before nor, unless something was lost, after. */
static void measure(struct closed_run *run, const struct scenario_conf *conf, struct window *w)
{
    struct fleet *f = &run->fleet;
    run->is_over = run->is_warm = false;
    run->latency = (struct hist){0};
    for (unsigned room = 0; room < conf->fleet.rooms_n; room++)
        send_next(run, room);
    run_until(run, f->now_us + (uint32_t)(conf->warmup * 1e6));
    run->is_warm = true;
    window_open(w, f, conf->server, run->received_n);
    run_until(run, f->now_us + (uint32_t)(conf->seconds * 1e6));
    window_close(w, f, run->received_n);
    run->is_over = true;
    uint32_t deadline = f->now_us + STALL_US;
    while (outstanding_n(run) > 0 && fleet_now_us(f) < deadline)
        fleet_turn(f, 10000);
}

static void report(const struct closed_run *run, const struct window *w)
{
    const struct fleet *f = &run->fleet;
    report_begin("closed");
    report_count("members", f->clients_n);
    report_count("publishers", f->conf.rooms_n);
    window_report(w);
    report_latency(&run->latency);
    report_count("message_bytes", f->message_len);
    report_count("compressed", f->compressed_n);
    report_count("published", f->published_n);
    report_count("missing", run->missing_n + outstanding_n(run));
    report_count("doubled", run->doubled_n);
    report_count("stray", run->stray_n);
    report_count("broken", f->broken_n);
    report_count("closed_by_server", f->gone_n);
    report_end();
}

/* A room that has lost a message has stopped for good, so no cue is waited for then. */
static void measure_at_cues(struct closed_run *run, const struct scenario_conf *conf)
{
    struct window w = {0};
    while (outstanding_n(run) == 0 && cue_wait()) {
        measure(run, conf, &w);
        report(run, &w);
    }
}

int scenario_closed(const struct scenario_conf *conf)
{
    static struct closed_run run;
    struct fleet *f = &run.fleet;
    struct window w = {0};
    run.rooms = calloc(conf->fleet.rooms_n, sizeof *run.rooms);
    fleet_init(f, &conf->fleet);
    f->owner = &run;
    int rc = run.rooms ? fleet_open(f) : -1;
    if (rc == 0)
        rc = fleet_settle(f);
    f->on_stamp = on_stamp;
    f->is_spinning = !conf->is_resting;
    if (rc == 0 && conf->has_cue) {
        measure_at_cues(&run, conf);
    } else if (rc == 0) {
        measure(&run, conf, &w);
        report(&run, &w);
    }
    fleet_close(f);
    free(run.rooms);
    return rc;
}

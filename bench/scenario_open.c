/* Open loop: messages leave at a fixed rate, and latency counts from when each one was due. */
#include <stdio.h>
#include <stdlib.h>

#include "bench/hist.h"
#include "bench/report.h"
#include "bench/scenario.h"
#include "bench/window.h"

enum { DRAIN_MAX_US = 5 * 1000 * 1000, QUIET_US = 500 * 1000 };

struct open_run {
    const struct scenario_conf *conf;
    struct fleet fleet;
    unsigned senders_n;
    uint32_t *sent; /* per sender */
    uint64_t scheduled_n;
    double interval_us;
    uint32_t begin_us, warm_us, end_us;
    uint64_t received_n;
    uint64_t missing_n; /* skipped; what never came is counted at the end */
    uint64_t doubled_n;
    uint64_t stray_n; /* of another room */
    struct hist latency;
    struct hist warm_latency; /* of the warm-up */
};

static void count(struct open_run *run, uint32_t due)
{
    uint32_t now = run->fleet.now_us;
    run->received_n++;
    hist_add(due >= run->warm_us ? &run->latency : &run->warm_latency, now > due ? now - due : 0);
}

static void on_stamp(struct fleet *f, struct client *c, const struct stamp *s)
{
    struct open_run *run = f->owner;
    unsigned slot = s->sender - c->seat.room * f->conf.publishers_n;
    if (slot >= f->conf.publishers_n) {
        run->stray_n++;
        return;
    }
    uint32_t *expected = &c->expected[slot];
    if (s->number < *expected) {
        run->doubled_n++;
        return;
    }
    run->missing_n += s->number - *expected;
    *expected = s->number + 1;
    count(run, s->due_us);
}

static uint32_t due_us(const struct open_run *run, uint64_t scheduled_n)
{
    return run->begin_us + (uint32_t)((double)scheduled_n * run->interval_us);
}

/* ---- followers, who know nothing but how many bytes came ---- */

/* Of the room's messages the nth. */
static uint32_t room_due_us(const struct open_run *run, unsigned room, uint64_t n)
{
    unsigned publishers_n = run->fleet.conf.publishers_n;
    return due_us(run, n / publishers_n * run->senders_n + room * publishers_n + n % publishers_n);
}

static uint64_t room_sent_n(const struct open_run *run, unsigned room)
{
    unsigned publishers_n = run->fleet.conf.publishers_n;
    uint64_t n = 0;
    for (unsigned p = 0; p < publishers_n; p++)
        n += run->sent[room * publishers_n + p];
    return n;
}

/* Messages of a room are of one length: the nth to come is taken for the nth that was sent. */
static void on_followed(struct fleet *f, struct client *c, size_t bytes)
{
    struct open_run *run = f->owner;
    c->followed_bytes += bytes;
    uint64_t whole_n = c->followed_bytes / fleet_frame_bytes(f);
    for (; c->received_n < whole_n; c->received_n++)
        count(run, room_due_us(run, c->seat.room, c->received_n));
}

static uint64_t followers_n(const struct fleet *f)
{
    uint64_t n = 0;
    for (size_t i = 0; i < f->clients_n; i++)
        n += f->clients[i].is_follower;
    return n;
}

/* Messages that came to them beyond those that were sent: looked at once all has come. */
static uint64_t surplus_n(const struct open_run *run)
{
    const struct fleet *f = &run->fleet;
    uint64_t n = 0;
    for (size_t i = 0; i < f->clients_n; i++) {
        uint64_t sent_n = room_sent_n(run, f->clients[i].seat.room);
        n += f->clients[i].received_n > sent_n ? f->clients[i].received_n - sent_n : 0;
    }
    return n;
}

/* Those whose bytes are no whole messages. */
static uint64_t torn_n(const struct fleet *f)
{
    uint64_t n = 0;
    for (size_t i = 0; i < f->clients_n; i++)
        n += f->clients[i].followed_bytes % fleet_frame_bytes(f) != 0;
    return n;
}

/* ---- the run ---- */

/* Sends what is due. What became due since the last time leaves in one send per publisher. */
static void on_tick(struct fleet *f)
{
    struct open_run *run = f->owner;
    uint64_t first = run->scheduled_n;
    for (uint32_t due; (due = due_us(run, run->scheduled_n)) <= f->now_us && due < run->end_us;
         run->scheduled_n++) {
        unsigned sender = (unsigned)(run->scheduled_n % run->senders_n);
        struct stamp s = {STAMP_COUNTED, (uint16_t)sender, run->sent[sender]++, due};
        fleet_publish(f, fleet_publisher(f, sender), &s);
    }
    uint64_t n = run->scheduled_n - first;
    for (uint64_t i = 0; i < n && i < run->senders_n; i++)
        fleet_flush(f, fleet_publisher(f, (unsigned)((first + i) % run->senders_n)));
    uint32_t next = due_us(run, run->scheduled_n);
    f->tick_us = next < run->end_us ? next : UINT32_MAX;
}

static uint64_t outstanding_to(const struct open_run *run, const struct client *c)
{
    uint64_t sent_n = room_sent_n(run, c->seat.room);
    if (c->is_follower)
        return sent_n > c->received_n ? sent_n - c->received_n : 0;
    for (unsigned p = 0; p < run->fleet.conf.publishers_n; p++)
        sent_n -= c->expected[p];
    return sent_n;
}

static uint64_t outstanding_n(const struct open_run *run)
{
    uint64_t n = 0;
    for (size_t i = 0; i < run->fleet.clients_n; i++)
        if (!run->fleet.clients[i].is_deaf)
            n += outstanding_to(run, &run->fleet.clients[i]);
    return n;
}

static void drain(struct open_run *run)
{
    struct fleet *f = &run->fleet;
    uint32_t deadline = f->now_us + DRAIN_MAX_US;
    uint32_t quiet_since = f->now_us;
    while (f->now_us < deadline && f->now_us - quiet_since < QUIET_US && outstanding_n(run) > 0) {
        uint64_t before = run->received_n;
        fleet_turn(f, 10000);
        if (run->received_n != before)
            quiet_since = f->now_us;
    }
}

static void measure(struct open_run *run, struct window *w)
{
    struct fleet *f = &run->fleet;
    const struct scenario_conf *conf = run->conf;
    f->is_spinning = !conf->is_resting;
    run->begin_us = fleet_now_us(f);
    run->warm_us = run->begin_us + (uint32_t)(conf->warmup * 1e6);
    run->end_us = run->warm_us + (uint32_t)(conf->seconds * 1e6);
    f->on_stamp = on_stamp;
    f->on_followed = on_followed;
    f->on_tick = on_tick;
    f->tick_us = run->begin_us;
    fleet_run_until(f, run->warm_us);
    window_open(w, f, conf->server, run->received_n);
    fleet_run_until(f, run->end_us);
    window_close(w, f, run->received_n);
    drain(run);
}

static void tell(const struct open_run *run, const struct window *w, size_t deaf_n)
{
    const struct fleet *f = &run->fleet;
    size_t deaf_gone_n = 0;
    for (size_t i = 0; i < f->clients_n; i++)
        deaf_gone_n += f->clients[i].is_deaf && f->clients[i].state == CLIENT_GONE;
    report_begin("open");
    report_count("members", f->clients_n);
    report_count("publishers", run->senders_n);
    report_count("followers", followers_n(f));
    report_real("target_per_second", run->conf->rate);
    window_report(w);
    report_latency(&run->latency);
    report_count("warmup_p99_us", hist_quantile(&run->warm_latency, 0.99));
    report_count("message_bytes", f->message_len);
    report_count("compressed", f->compressed_n);
    report_count("missing", run->missing_n + outstanding_n(run));
    report_count("doubled", run->doubled_n + surplus_n(run));
    report_count("stray", run->stray_n);
    report_count("broken", f->broken_n + torn_n(f));
    report_count("closed_by_server", f->gone_n - deaf_gone_n);
    report_count("deaf", deaf_n);
    report_count("server_memory", usage_memory(&w->server));
    report_end();
}

int scenario_open(const struct scenario_conf *conf)
{
    static struct open_run run;
    struct fleet *f = &run.fleet;
    struct window w = {0};
    run.conf = conf;
    run.senders_n = conf->fleet.rooms_n * conf->fleet.publishers_n;
    run.sent = calloc(run.senders_n, sizeof *run.sent);
    fleet_init(f, &conf->fleet);
    f->owner = &run;
    int rc = run.sent ? fleet_open(f) : -1;
    if (rc == 0)
        rc = fleet_settle(f);
    if (rc == 0)
        rc = fleet_follow(f);
    size_t deaf_n = (size_t)(conf->slow_share * (double)f->clients_n);
    run.interval_us = 1e6 * conf->fleet.members_n / conf->rate;
    if (rc == 0) {
        for (size_t i = 0; i < deaf_n; i++) /* from the end: publishers come first */
            fleet_deafen(f, &f->clients[f->clients_n - 1 - i]);
        measure(&run, &w);
        tell(&run, &w, deaf_n);
    }
    fleet_close(f);
    free(run.sent);
    return rc;
}

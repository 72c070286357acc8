/* Handshakes: connect, upgrade, close, again and again, a few at a time. */
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench/cue.h"
#include "bench/hist.h"
#include "bench/report.h"
#include "bench/scenario.h"
#include "bench/window.h"
#include "bench/ws_client.h"

enum { IN_PARALLEL_MAX = 1024, HEAD_MAX = 4096, STALL_US = 3 * 1000 * 1000 };

struct handshakes_run {
    const struct scenario_conf *conf;
    struct fleet fleet; /* its clock and its epoll; it has no members here */
    struct client slots[IN_PARALLEL_MAX];
    uint32_t begun_us[IN_PARALLEL_MAX];
    size_t open_n;
    bool is_over; /* no more begin */
    uint64_t done_n;
    uint64_t refused_n;
    struct hist latency;
};

static int begin(struct handshakes_run *run, size_t slot)
{
    struct client *c = &run->slots[slot];
    char path[128];
    *c = (struct client){.fd = -1, .seat = {.purpose = FOR_IDLE, .member = (unsigned)slot}};
    run->begun_us[slot] = fleet_now_us(&run->fleet);
    int rc = client_dial(c, run->conf->fleet.port, run->conf->fleet.source, NULL);
    if (rc < 0) {
        fprintf(stderr, "load: connect: %s\n", strerror(-rc));
        return -1;
    }
    run->open_n++;
    struct epoll_event ev = {.events = EPOLLIN, .data.u64 = slot};
    epoll_ctl(run->fleet.epoll_fd, EPOLL_CTL_ADD, c->fd, &ev);
    run->conf->fleet.adapter->path(&c->seat, path, sizeof path);
    ws_client_ask(&c->out, path, run->conf->fleet.adapter->protocol, false);
    return client_send(c);
}

static int on_answer(struct handshakes_run *run, size_t slot)
{
    struct client *c = &run->slots[slot];
    uint8_t head[HEAD_MAX];
    size_t have = c->frame_rest.len;
    memcpy(head, c->frame_rest.at ? c->frame_rest.at : head, have);
    ssize_t n = client_read(c, head + have, sizeof head - have);
    ssize_t answer = n < 0 ? -1 : ws_client_check((char *)head, have + (size_t)n);
    if (answer == 0) {
        rest_keep(&c->frame_rest, head, have + (size_t)n);
        return 0;
    }
    if (answer > 0) {
        run->done_n++;
        hist_add(&run->latency, fleet_now_us(&run->fleet) - run->begun_us[slot]);
    } else {
        run->refused_n++;
    }
    client_close_hard(c); /* 60,000 lingering ends a second would use up all local ports */
    run->open_n--;
    return run->is_over ? 0 : begin(run, slot);
}

static int turn(struct handshakes_run *run)
{
    struct epoll_event ready[IN_PARALLEL_MAX];
    struct fleet *f = &run->fleet;
    uint32_t before_us = f->now_us;
    int n = epoll_wait(f->epoll_fd, ready, IN_PARALLEL_MAX, 0); /* spins: see fleet.h */
    fleet_now_us(f);
    f->idle_us += n == 0 ? f->now_us - before_us : 0;
    for (int i = 0; i < n; i++)
        if (on_answer(run, ready[i].data.u64) < 0)
            return -1;
    return 0;
}

static int run_for(struct handshakes_run *run, double seconds)
{
    uint32_t until_us = fleet_now_us(&run->fleet) + (uint32_t)(seconds * 1e6);
    int rc = 0;
    while (rc == 0 && run->fleet.now_us < until_us)
        rc = turn(run);
    return rc;
}

static void close_slots(struct handshakes_run *run)
{
    for (size_t i = 0; i < IN_PARALLEL_MAX; i++)
        if (run->slots[i].fd > 0)
            client_close_hard(&run->slots[i]);
    run->open_n = 0;
}

/* What has begun is answered, so that the server has seen no more and no less than was counted. */
static int finish(struct handshakes_run *run)
{
    uint32_t until_us = fleet_now_us(&run->fleet) + STALL_US;
    int rc = 0;
    run->is_over = true;
    while (rc == 0 && run->open_n > 0 && run->fleet.now_us < until_us)
        rc = turn(run);
    close_slots(run);
    return rc;
}

static int measure(struct handshakes_run *run, struct window *w)
{
    const struct scenario_conf *conf = run->conf;
    size_t slots_n = conf->in_parallel < IN_PARALLEL_MAX ? conf->in_parallel : IN_PARALLEL_MAX;
    int rc = 0;
    run->is_over = false;
    for (size_t i = 0; i < slots_n && rc == 0; i++)
        rc = begin(run, i);
    if (rc == 0)
        rc = run_for(run, conf->warmup);
    run->latency = (struct hist){0};
    window_open(w, &run->fleet, conf->server, run->done_n);
    if (rc == 0)
        rc = run_for(run, conf->seconds);
    window_close(w, &run->fleet, run->done_n);
    return rc == 0 ? finish(run) : rc;
}

static void report(const struct handshakes_run *run, const struct window *w)
{
    report_begin("handshakes");
    window_report(w);
    report_latency(&run->latency);
    report_count("refused", run->refused_n);
    report_count("all", run->done_n);
    report_end();
}

int scenario_handshakes(const struct scenario_conf *conf)
{
    static struct handshakes_run run;
    struct window w = {0};
    struct fleet_conf nobody = conf->fleet;
    nobody.rooms_n = 1;
    nobody.members_n = 1;
    run.conf = conf;
    fleet_init(&run.fleet, &nobody);
    int rc = 0;
    while (rc == 0 && (!conf->has_cue || cue_wait())) {
        rc = measure(&run, &w);
        if (rc == 0)
            report(&run, &w);
        if (!conf->has_cue)
            break;
    }
    close_slots(&run);
    fleet_close(&run.fleet);
    return rc;
}

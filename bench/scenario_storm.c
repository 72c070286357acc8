/* Accept storm: everybody is connected, is cut off, and connects again at once. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bench/cue.h"
#include "bench/hist.h"
#include "bench/report.h"
#include "bench/scenario.h"
#include "bench/window.h"

enum {
    STORM_MAX_US = 90 * 1000 * 1000,
    AGAIN_US = 1000 * 1000, /* until those who were refused try again */
    TURN_US = 10000,
};

struct storm_run {
    struct fleet fleet;
    uint64_t refused_n;
    struct hist back; /* when each is back, since the cut */
};

static void cut(struct fleet *f)
{
    for (size_t i = 0; i < f->clients_n; i++)
        client_close_hard(&f->clients[i]);
    f->open_n = 0;
}

/* Begins with everybody who is not connected. */
static int begin_all(struct fleet *f)
{
    for (size_t i = 0; i < f->clients_n; i++) {
        struct client *c = &f->clients[i];
        int rc = c->state == CLIENT_GONE ? fleet_begin(f, c) : 0;
        if (rc < 0) {
            fprintf(stderr, "load: connection %u: %s\n", c->seat.member, strerror(-rc));
            return -1;
        }
    }
    f->gone_n = 0;
    return 0;
}

/* Until all are back, or for so long. */
static int storm(struct storm_run *run)
{
    struct fleet *f = &run->fleet;
    uint32_t begin = fleet_now_us(f);
    uint32_t again = begin + AGAIN_US;
    cut(f);
    int rc = begin_all(f);
    while (rc == 0 && f->open_n < f->clients_n && f->now_us - begin < STORM_MAX_US) {
        size_t before = f->open_n;
        fleet_turn(f, TURN_US);
        for (; before < f->open_n; before++)
            hist_add(&run->back, f->now_us - begin);
        if (f->now_us < again || f->gone_n == 0)
            continue;
        run->refused_n += f->gone_n;
        again = f->now_us + AGAIN_US;
        rc = begin_all(f);
    }
    return rc;
}

int scenario_storm(const struct scenario_conf *conf)
{
    static struct storm_run run;
    struct fleet *f = &run.fleet;
    struct window w = {0};
    fleet_init(f, &conf->fleet);
    int rc = fleet_open(f);
    if (rc == 0) {
        fleet_run_until(f, fleet_now_us(f) + (uint32_t)(conf->warmup * 1e6));
        if (conf->has_cue && !cue_wait())
            fprintf(stderr, "load: no cue\n");
        window_open(&w, f, conf->server, 0);
        rc = storm(&run);
        window_close(&w, f, f->open_n);
    }
    if (rc == 0) {
        report_begin("storm");
        report_count("members", f->clients_n);
        report_count("back", f->open_n);
        report_count("refused", run.refused_n);
        report_real("back_seconds", (double)run.back.max / 1e6);
        report_latency(&run.back);
        window_report(&w);
        report_end();
    }
    fleet_close(f);
    return rc;
}

/* Idle clients: what a connection costs that only stays. */
#include <stdio.h>

#include "bench/report.h"
#include "bench/scenario.h"
#include "bench/window.h"

enum { REST_US = 1500 * 1000 };

/* Opens and closes some connections first, so that what a server sets up once (buffers, code pages)
 * is there before memory is read for the first time. */
static int warm_up(const struct scenario_conf *conf)
{
    struct fleet f = {0};
    struct fleet_conf few = conf->fleet;
    few.rooms_n = few.rooms_n > 200 ? 200 : few.rooms_n;
    fleet_init(&f, &few);
    int rc = fleet_open(&f);
    if (rc == 0)
        fleet_run_until(&f, fleet_now_us(&f) + REST_US / 3);
    fleet_close(&f);
    return rc;
}

/* Each client is a room of its own here, so that none hears of another. */
int scenario_idle(const struct scenario_conf *conf)
{
    struct fleet f = {0};
    struct window w = {0};
    if (warm_up(conf) < 0)
        return -1;
    fleet_init(&f, &conf->fleet);
    fleet_run_until(&f, fleet_now_us(&f) + REST_US / 3);
    struct usage_tree server;
    usage_tree_find(&server, conf->server);
    uint64_t before = usage_memory(&server);
    int rc = fleet_open(&f);
    if (rc == 0) {
        fleet_run_until(&f, fleet_now_us(&f) + REST_US);
        uint64_t after = usage_memory(&server);
        window_open(&w, &f, conf->server, 0);
        fleet_run_until(&f, fleet_now_us(&f) + (uint32_t)(conf->seconds * 1e6));
        window_close(&w, &f, f.others_n);
        double cpu_us = (double)(w.cpu_end_ns - w.cpu_begin_ns) / 1e3;
        double client_seconds = (double)f.clients_n * (double)(w.end_us - w.begin_us) / 1e6;
        report_begin("idle");
        report_count("members", f.clients_n);
        report_count("memory_before", before);
        report_count("memory_after", after);
        report_real("bytes_per_connection", ((double)after - (double)before) / (double)f.clients_n);
        window_report(&w);
        report_real("cpu_us_per_client_second", client_seconds > 0 ? cpu_us / client_seconds : 0);
        report_count("closed_by_server", f.gone_n);
        report_end();
    }
    fleet_close(&f);
    return rc;
}

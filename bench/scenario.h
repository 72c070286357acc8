/* The scenarios of the load generator: each makes its connections, measures, and reports once. */
#ifndef BENCH_SCENARIO_H
#define BENCH_SCENARIO_H

#include <stdbool.h>
#include <sys/types.h>

#include "bench/fleet.h"

struct scenario_conf {
    struct fleet_conf fleet;
    pid_t server;         /* its root process; 0: not looked at */
    double seconds;       /* measured */
    double warmup;        /* seconds before, under the same load */
    double rate;          /* open: deliveries per second over all rooms */
    double slow_share;    /* open: of the members, who stop reading */
    unsigned in_parallel; /* handshakes */
    bool is_resting; /* open, closed: sleeps while nothing comes, as the server needs the core */
    bool has_cue;    /* see cue.h. storm: begins then; closed, handshakes: measures at each */
};

/* 0, or -1 with a message on stderr. What closed and handshakes report as a count of messages is of
 * their whole life; rates, CPU time and latencies are of the stretch that was measured last. */

/* At a fixed rate, whatever the server does; latency counts from the scheduled send. */
int scenario_open(const struct scenario_conf *conf);
/* The first member of each room sends its next message when the last one has reached all. */
int scenario_closed(const struct scenario_conf *conf);
/* Connect, shake hands, close, again and again. */
int scenario_handshakes(const struct scenario_conf *conf);
/* Connect and stay: memory and CPU time per connection. */
int scenario_idle(const struct scenario_conf *conf);
/* Everybody logs in to one room of the chat at once, until each one's list of members is whole. */
int scenario_login(const struct scenario_conf *conf);
/* Everybody is cut off and connects again at once: how long until all are back. */
int scenario_storm(const struct scenario_conf *conf);

#endif

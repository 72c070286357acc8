/* The stretch of a run that is measured: messages, wall clock and CPU time of the server and of
 * ourselves. */
#ifndef BENCH_WINDOW_H
#define BENCH_WINDOW_H

#include <stdint.h>

#include "bench/fleet.h"
#include "bench/usage.h"

struct window {
    struct usage_tree server;
    uint32_t begin_us, end_us;
    uint64_t count_begin, count_end;
    uint64_t cpu_begin_ns, cpu_end_ns;
    uint64_t own_begin_ns, own_end_ns;
    uint64_t idle_begin_us, idle_end_us; /* of the generator */
    uint64_t busy_begin_ns, busy_end_ns; /* of the whole machine */
};

/* count is whatever is counted (deliveries, handshakes), as of now. root 0: no server to look at.
 */
void window_open(struct window *w, struct fleet *f, pid_t root, uint64_t count);
void window_close(struct window *w, struct fleet *f, uint64_t count);
/* count, seconds, per_second, cpu_seconds, per_cpu_second, server_cores and generator_cores (CPU
 * time per second; a generator that spins takes a whole one), generator_busy (share of the time in
 * which it had something to do) and others_busy (cores that neither server nor generator used: a
 * disturbed run shows there). */
void window_report(const struct window *w);

#endif

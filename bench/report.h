/* The result of a run: one JSON object on one line of stdout. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stdint.h>

#include "bench/hist.h"

void report_begin(const char *scenario);
void report_text(const char *name, const char *value);
void report_count(const char *name, uint64_t value);
void report_real(const char *name, double value);
/* p50_us, p99_us, max_us */
void report_latency(const struct hist *h);
void report_end(void);

#endif

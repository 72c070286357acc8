/* The result of a run as JSON. Names and texts are ours and need no escapes. */
#include "bench/report.h"

#include <inttypes.h>
#include <stdio.h>

void report_begin(const char *scenario)
{
    printf("{\"scenario\": \"%s\"", scenario);
}

void report_text(const char *name, const char *value)
{
    printf(", \"%s\": \"%s\"", name, value);
}

void report_count(const char *name, uint64_t value)
{
    printf(", \"%s\": %" PRIu64, name, value);
}

void report_real(const char *name, double value)
{
    printf(", \"%s\": %.3f", name, value);
}

void report_latency(const struct hist *h)
{
    report_count("p50_us", hist_quantile(h, 0.50));
    report_count("p99_us", hist_quantile(h, 0.99));
    report_count("max_us", h->max);
}

void report_end(void)
{
    printf("}\n");
    fflush(stdout);
}

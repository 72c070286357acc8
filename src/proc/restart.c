/* The rule of how long a crashed process waits before its successor is started. */
#include "proc/restart.h"

uint64_t restart_delay_ms(struct restart *r, uint64_t life_ms, uint64_t max_ms)
{
    if (life_ms >= RESTART_HEALTHY_MS)
        r->failures_n = 0;
    unsigned before_n = r->failures_n++;
    if (before_n == 0)
        return 0;
    uint64_t delay_ms = RESTART_FIRST_MS;
    for (unsigned i = 1; i < before_n && delay_ms < max_ms; i++)
        delay_ms *= 2;
    return delay_ms < max_ms ? delay_ms : max_ms;
}

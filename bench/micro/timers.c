/* What a timer costs while 1,000,000 others run. */
#include <stdlib.h>

#include "bench/micro/micro.h"
#include "net/timer.h"

enum { TIMERS_N = 1000000, SPREAD_MS = 60000 };

static size_t fired_n;

static void fire(struct timer *t)
{
    fired_n++;
}

static struct wheel wheel;

/* The life of most timers: a deadline that never comes. */
static void restart(void *arg, size_t n)
{
    struct timer *t = arg;
    for (size_t i = 0; i < n; i++) {
        wheel_stop(&wheel, t);
        wheel_start(&wheel, t, wheel.now_ms + 1 + i % SPREAD_MS);
    }
    wheel_stop(&wheel, t);
}

int main(void)
{
    struct timer *timers = calloc(TIMERS_N, sizeof *timers);
    struct timer one = {.fire = fire};
    if (!timers)
        return 1;
    wheel_init(&wheel, 1000);
    uint64_t begin = micro_now_ns();
    for (size_t i = 0; i < TIMERS_N; i++) {
        timers[i].fire = fire;
        wheel_start(&wheel, &timers[i], 1001 + i * 7919 % SPREAD_MS);
    }
    micro_tell("timer start, 1,000,000 over a minute", TIMERS_N, begin, micro_now_ns());
    micro_time("timer stop and start among 1,000,000", 0, restart, &one);

    begin = micro_now_ns();
    for (size_t i = 0; i < TIMERS_N; i += 2)
        wheel_stop(&wheel, &timers[i]);
    micro_tell("timer stop, every other one", TIMERS_N / 2, begin, micro_now_ns());

    begin = micro_now_ns();
    for (uint64_t ms = 1001; ms <= 1001 + SPREAD_MS; ms++)
        wheel_fire(&wheel, ms);
    micro_tell("timer expiry, 60,000 ticks of the wheel included", TIMERS_N / 2, begin,
               micro_now_ns());
    free(timers);
    return fired_n == TIMERS_N / 2 ? 0 : 1;
}

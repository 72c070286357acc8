/* Time from the kernel's clocks, or from a test. */
#include "base/clock.h"

#include <time.h>

#include "base/log.h"

static const uint64_t *fake_us; /* tests only, see clock_fake() */

void clock_fake(const uint64_t *us)
{
    fake_us = us;
}

uint64_t clock_mono_us(void)
{
    if (fake_us)
        return *fake_us;
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
        log_fatal("the kernel has no monotonic clock");
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t clock_mono_ms(void)
{
    return clock_mono_us() / 1000;
}

int64_t clock_wall_s(void)
{
    return (int64_t)time(NULL);
}

void clock_text(int64_t wall_s, char *out, size_t out_bytes)
{
    time_t t = (time_t)wall_s;
    struct tm local;
    if (out_bytes == 0)
        return;
    /* Both fail only for years beyond what an int or `out` holds. */
    if (!localtime_r(&t, &local) || strftime(out, out_bytes, "%Y-%m-%d %H:%M:%S", &local) == 0)
        out[0] = '\0';
}

/* A monotonic clock that stands still until a test moves it. */
#include "support/fake_clock.h"

#include <stddef.h>

#include "base/clock.h"

static uint64_t now_us;

void fake_clock_start(uint64_t now_ms)
{
    now_us = now_ms * 1000;
    clock_fake(&now_us);
}

void fake_clock_advance(uint64_t ms)
{
    now_us += ms * 1000;
}

void fake_clock_stop(void)
{
    clock_fake(NULL);
}

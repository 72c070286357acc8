/* A monotonic clock that stands still until a test moves it. */
#ifndef SUPPORT_FAKE_CLOCK_H
#define SUPPORT_FAKE_CLOCK_H

#include <stdint.h>

void fake_clock_start(uint64_t now_ms);
void fake_clock_advance(uint64_t ms);
void fake_clock_stop(void); /* back to the real clock */

#endif

/* Time: monotonic for deadlines, wall clock for people. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

uint64_t clock_mono_ms(void);
uint64_t clock_mono_us(void);
int64_t clock_wall_s(void);
/* "2026-11-20 12:00:00" in local time; out_bytes >= 20. */
void clock_text(int64_t wall_s, char *out, size_t out_bytes);
/* Tests only: while set, clock_mono_* read *fake_us; NULL goes back to the real clock. */
void clock_fake(const uint64_t *fake_us);

#endif

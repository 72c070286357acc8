/* The cue: whoever started the generator says when it shall begin. */
#ifndef BENCH_CUE_H
#define BENCH_CUE_H

#include <stdbool.h>

/* Prints "ready" and waits for a line on stdin; nothing is sent or read meanwhile. False when stdin
 * has ended: nobody is left who could give one. */
bool cue_wait(void);

#endif

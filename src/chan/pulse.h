/* Whether a peer is still there: looks that found it quiet are counted, each word of it ends that.
 */
#ifndef CHAN_PULSE_H
#define CHAN_PULSE_H

#include <stdbool.h>
#include <stdint.h>

/* Whoever has a pulse looks every PULSE_MS and sees to it that the peer has something to answer
 * then. A dead peer is noticed within (PULSE_QUIET_MAX + 1) * PULSE_MS, eight seconds. Looks are
 * counted and not time, so that a process that was stopped itself does not take all its peers for
 * dead when it goes on. */
enum { PULSE_MS = 2000, PULSE_QUIET_MAX = 3 };

/* Zero-initialised: has just spoken. */
struct pulse {
    uint8_t quiet_n;
    bool is_silent;
};

/* True when the peer is silent from this look on. */
bool pulse_look(struct pulse *p);
/* It said something. True when it was silent. */
bool pulse_hear(struct pulse *p);

#endif

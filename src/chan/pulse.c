/* Whether a peer is still there: looks that found it quiet are counted, each word of it ends that.
 */
#include "chan/pulse.h"

bool pulse_look(struct pulse *p)
{
    if (p->is_silent)
        return false;
    p->is_silent = p->quiet_n++ >= PULSE_QUIET_MAX;
    return p->is_silent;
}

bool pulse_hear(struct pulse *p)
{
    bool was_silent = p->is_silent;
    *p = (struct pulse){0};
    return was_silent;
}

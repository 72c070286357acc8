/* Long work of a call, in portions: whatever else its thread has to do gets its turn in between. */
#include "client/breath.h"

#include "base/clock.h"
#include "client/io.h"

void breath_look(struct breath *b)
{
    if (!b->gw || !b->gw->io->breathe)
        return;
    uint64_t now_us = clock_mono_us();
    if (b->since_us == 0)
        b->since_us = now_us;
    if (now_us - b->since_us < BREATH_MAX_US)
        return;
    b->gw->io->breathe(b->gw);
    b->since_us = 0;
}

/* Takes single processes out of service without haste, and back: drain and undrain. */
#ifndef PROC_FAREWELL_H
#define PROC_FAREWELL_H

#include <stdbool.h>

#include "base/list.h"
#include "proc/ctl.h"
#include "proc/fleet.h"

/* For roles with a retreat(). A slot that is out has no process and gets none until it is called
 * back, or until the server starts anew. */
struct farewell {
    struct fleet *fleet;
    struct list callers; /* of drain, until their processes have ended */
    struct timer tell;   /* how far it is, each second */
};

void farewell_init(struct farewell *f, struct fleet *fleet);
void farewell_fini(struct farewell *f); /* ends the callers */
/* words: WHO RATE SECONDS BACK. WHO is the name of a section, "gateway", or a pid; RATE and SECONDS
 * as role.h has them; BACK 1: a new process follows the old one. */
void farewell_drain(struct farewell *f, struct ctl_session *s, const char *words);
void farewell_undrain(struct farewell *f, struct ctl_session *s, const char *who);
void farewell_step(struct farewell *f); /* after each change of the fleet */

#endif

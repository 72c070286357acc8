/* What a running master can be told, by a command on the control socket or by a signal. */
#ifndef PROC_COMMAND_H
#define PROC_COMMAND_H

#include "base/compiler.h"
#include "base/vec.h"
#include "proc/ctl.h"
#include "proc/farewell.h"
#include "proc/fleet.h"
#include "proc/query.h"
#include "proc/reload.h"
#include "proc/stop.h"

/* On the socket: status · status json · connections · reload · stop · stop graceful ·
 * drain WHO RATE SECONDS BACK · undrain WHO. */
struct commands {
    struct ctl *ctl;
    struct queries queries;
    struct reload reload;
    struct stop stop;
    struct farewell farewell;
    struct vec stop_callers; /* struct ctl_session */
};

/* Borrows ctl_fd. 0 or -errno. */
int commands_init(struct commands *c, struct fleet *f, int ctl_fd, bool is_detached) NODISCARD;
void commands_step(struct commands *c); /* after each change of the fleet */
void commands_stop(struct commands *c, struct ctl_session *s, bool is_graceful);
void commands_reload(struct commands *c, struct ctl_session *s);
/* The server has ended: tells all who wait. */
void commands_answer(struct commands *c);
void commands_fini(struct commands *c);

#endif

/* What a server holds besides its processes: pid file, log, run folder, ports, control socket. */
#ifndef PROC_PREMISES_H
#define PROC_PREMISES_H

#include <sys/types.h>

#include "base/compiler.h"
#include "proc/fleet.h"

struct premises {
    struct fleet *fleet;
    const char *conf_file;
    int pid_fd;       /* -1: not held */
    int ctl_fd;       /* -1: not held */
    off_t log_offset; /* the log's size before this server wrote to it */
};

/* One line about a key of [master]: where it was written (else the config file) and what to do. */
void premises_complain(const struct premises *p, const char *key, const char *value,
                       const char *what, struct buf *errors);
/* Makes the folder for modules and sockets. 0, or < 0 with a line in errors. */
int premises_make_run_dir(const struct premises *p, struct buf *errors) NODISCARD;
/* Takes all of it, in the order that leaves least behind, and builds the modules in between. 0, or
 * < 0 with lines in errors; either way premises_release() gives back what was taken. */
int premises_take(struct premises *p, struct buf *errors) NODISCARD;
/* The pid file goes last: whoever sees it gone may start the next server at once. */
void premises_release(struct premises *p);

#endif

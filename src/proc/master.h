/* The master: starts the processes of a config, watches them, and obeys commands and signals. */
#ifndef PROC_MASTER_H
#define PROC_MASTER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/conf.h"
#include "proc/master_conf.h"
#include "proc/role.h"

struct master_setup {
    struct conf *conf;
    const char *conf_file;
    const struct master_conf *settings;
    const struct role *const *roles;
    size_t roles_n;
    bool is_detached;
    bool is_quiet; /* no banner */
};

/* Starts and serves until told to stop; with is_detached the caller's process returns once the
 * server in the background serves. Complaints go to stderr, one line each. Returns an exit status
 * (proc/exit_code.h).
 *
 * Signals: INT, TERM, TSTP stop · QUIT stops gracefully · USR1, USR2 reload · HUP reloads in the
 * background and stops in the foreground, where it means that the terminal is gone. */
int master_start(const struct master_setup *setup) NODISCARD;

/* Checks the sections and builds the modules without starting anything. Returns an exit status. */
int master_check(const struct master_setup *setup) NODISCARD;

#endif

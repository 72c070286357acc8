/* The [master] section: where the server keeps its files, who it runs as, how long it waits. */
#ifndef PROC_MASTER_CONF_H
#define PROC_MASTER_CONF_H

#include <stdint.h>

#include "base/buf.h"
#include "base/conf.h"

struct master_conf {
    const char *pid_file;
    const char *control_socket;
    const char *run_dir;
    const char *log_file;
    int log_level; /* enum log_level */
    const char *stdout_file;
    const char *user;
    const char *group;
    uint64_t stop_timeout_ms;
    uint64_t graceful_timeout_ms;
    uint64_t ready_timeout_ms;
    uint64_t prepare_timeout_ms;
    uint64_t restart_delay_max_ms;
    int64_t open_files;
    int sandbox;    /* enum sandbox_mode */
    char *owned[4]; /* the paths that no key gave */
};

extern const struct conf_table master_table;

/* Copies the section (or the defaults, when the file has none) and replaces unset paths by
 * var/NAME.pid, .sock, .log and var/NAME.run beside the config file, where NAME is the file's name
 * without
 * ".conf". Strings from keys belong to c. Without a config
 * (NULL: it could not be read) only the times are set. */
void master_conf_fill(struct conf *c, const char *conf_file, struct master_conf *out);
void master_conf_fini(struct master_conf *m);
/* For commands that must reach a running server although its config file is broken now: the default
 * path of its control socket, written into out. */
void master_conf_default_socket(const char *conf_file, struct buf *out);

#endif

/* The pid file: names the master and, by a lock on it, lets only one server run per config. */
#ifndef PROC_PIDFILE_H
#define PROC_PIDFILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/compiler.h"

/* Creates the folder above it when missing, then takes the lock. The lock lives as long as the
 * descriptor and its copies in forked processes, so a stale file of a killed server never blocks.
 * The descriptor, -EEXIST with *holder set to the pid in the file (0 when not written yet), or
 * -errno. */
int pidfile_open(const char *path, pid_t *holder) NODISCARD;
int pidfile_write(int fd, pid_t pid) NODISCARD;                /* 0 or -errno */
void pidfile_close(const char *path, int fd, bool is_removed); /* -1 is fine */
/* The pid of the server that holds the lock: 0 when nobody does, -1 when it is not written yet. */
pid_t pidfile_holder(const char *path);

/* mkdir -p for everything above path's last part; 0 or -errno. */
int pidfile_make_folder(const char *path, mode_t mode) NODISCARD;

#endif

/* Leaving the terminal at `start -d`, while whoever called waits for how the start went. */
#ifndef PROC_DAEMONIZE_H
#define PROC_DAEMONIZE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "base/span.h"

struct daemonize {
    int report_fd; /* in the server: to the caller; -1 when there is none */
};

/* Forks. 1 in the caller, with report_fd to read from; 0 in the server, which has a session of its
 * own, no terminal, and output to stdout_file; -errno. */
int daemonize_fork(struct daemonize *d, const char *stdout_file) NODISCARD;
/* In the caller: prints the report to stderr and returns the exit status it ends with. On failure
 * the lines that the log got since log_offset are shown too, because nobody else would. */
int daemonize_wait(struct daemonize *d, const char *log_file, off_t log_offset) NODISCARD;
/* In the server, once: lets the caller go. */
void daemonize_report(struct daemonize *d, struct span text, int exit_code);

#endif

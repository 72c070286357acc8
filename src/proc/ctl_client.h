/* The control socket, the command's side: sends one line, prints the answer. */
#ifndef PROC_CTL_CLIENT_H
#define PROC_CTL_CLIENT_H

#include <stdio.h>

#include "base/compiler.h"

/* Blocks until the master has answered; what it says goes to `out` as it comes. The master's exit
 * status, or -errno when it cannot be reached, -ETIMEDOUT when it says nothing for silence_ms,
 * -EPIPE when it went away in the middle. */
int ctl_call(const char *socket_path, const char *command, int silence_ms, FILE *out) NODISCARD;

#endif

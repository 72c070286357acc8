/* Which system calls a process may still make: a filter that whoever takes it over cannot lift. */
#ifndef PROC_SANDBOX_H
#define PROC_SANDBOX_H

#include <stdbool.h>

#include "base/compiler.h"

/* What becomes of a forbidden call. */
enum sandbox_mode {
    SANDBOX_OFF,
    SANDBOX_AUTO, /* as ON where it is possible */
    SANDBOX_ON,   /* it fails with EPERM, and a line in the log names it */
    SANDBOX_LOG,  /* it is made, and the kernel's audit log names it */
};

enum sandbox_kind {
    SANDBOX_SERVER, /* our own code alone: what serving needs, nothing else */
    SANDBOX_FILES,  /* the same with openat2(2), whose arguments a filter cannot look at */
    SANDBOX_MODULE, /* business code: everything but what only system software does */
};

/* NULL, or why there is no filter in this process: the build or what it runs under. */
const char *sandbox_hindrance(void);

/* For this process and all its threads, for good; needs no_new_privs. 0 also where the mode asks
 * for nothing, or -errno, logged. */
int sandbox_enter(enum sandbox_mode mode, enum sandbox_kind kind) NODISCARD;

#endif

/* The names of system calls that the sandbox's filters are made of; lists end with NULL. */
#ifndef PROC_SANDBOX_LIST_H
#define PROC_SANDBOX_LIST_H

extern const char *const sandbox_serving[]; /* what a server without business code makes */
extern const char *const sandbox_never[];   /* what no business code has reason to make */

#endif

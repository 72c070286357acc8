/* Which files a process has open, as /proc tells. */
#ifndef SUPPORT_FILES_H
#define SUPPORT_FILES_H

#include <sys/types.h>

/* Pipes and sockets that the process has in common with its master; not those that this test has,
 * too, from which both inherit. */
int files_shared_n(pid_t pid, pid_t master);
/* Descriptors behind the standard ones of the file with that name. */
int files_named_n(pid_t pid, const char *name);

#endif

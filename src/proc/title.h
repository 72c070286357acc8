/* The process title that `ps` shows, written over the memory of argv and the environment. */
#ifndef PROC_TITLE_H
#define PROC_TITLE_H

#include "base/compiler.h"

/* Call first in main(): moves the environment elsewhere, so that its memory can carry a title. */
void title_init(int argc, char **argv);
/* Cut to the room there is. Does nothing before title_init(). */
void title_set(const char *fmt, ...) PRINTF_LIKE(1, 2);

#endif

/* Makes the shared object of a module: compiles a .c, copies a .so, and tries to load it. */
#ifndef WORKER_BUILD_H
#define WORKER_BUILD_H

#include "base/buf.h"
#include "base/compiler.h"
#include "base/conf.h"

/* role.prepare of the worker: see proc/role.h. Runs in a process of its own. Complaints, the
 * compiler's included, go to stderr. */
int build_module(const struct conf *conf, const struct conf_section *s, const char *run_dir,
                 unsigned serial, struct buf *artifact) NODISCARD;

#endif

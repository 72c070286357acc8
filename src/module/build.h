/* Makes the shared object of a module: compiles a .c, copies a .so, and tries to load it. */
#ifndef MODULE_BUILD_H
#define MODULE_BUILD_H

#include "base/buf.h"
#include "base/compiler.h"
#include "module/module.h"
#include "module/module_conf.h"

struct build {
    const char *name;   /* of the artifact: NAME-SERIAL.so */
    const char *source; /* path of a .c or .so */
    const struct module_conf *conf;
    const struct module_kind *kind;
};

/* The body of a role's prepare: see proc/role.h. Runs in a process of its own. Complaints, the
 * compiler's included, go to stderr. */
int build_module(const struct build *b, const char *run_dir, unsigned serial,
                 struct buf *artifact) NODISCARD;

#endif

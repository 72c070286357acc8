/* Opens a module of business code: a shared object that defines one well-known symbol. */
#ifndef MODULE_MODULE_H
#define MODULE_MODULE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"

/* What a role wants a shared object to define: a struct that begins with its ABI number. */
struct module_kind {
    const char *symbol; /* "gw_module": the struct of that name */
    uint32_t abi;
};

/* The module stays loaded until the process ends: its code may be on any stack. NULL with one line
 * for a person in `error`. */
const void *module_open(const char *path, const struct module_kind *kind,
                        struct buf *error) NODISCARD;
/* The same for the process that runs it: what is wrong goes to the log, and what the module prints
 * shows up line by line, in a file too. */
const void *module_open_or_log(const char *path, const struct module_kind *kind) NODISCARD;

#endif

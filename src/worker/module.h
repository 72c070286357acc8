/* Opens a business module: a shared object that defines gw_module. */
#ifndef WORKER_MODULE_H
#define WORKER_MODULE_H

#include <gw/module.h>

#include "base/buf.h"
#include "base/compiler.h"

/* The module stays loaded until the process ends: its code may be on any stack. NULL with one line
 * for a person in `error`. */
const struct gw_module *module_open(const char *path, struct buf *error) NODISCARD;

#endif

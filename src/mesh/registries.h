/* What must hold for the register_address keys of a section. */
#ifndef MESH_REGISTRIES_H
#define MESH_REGISTRIES_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/conf.h"

/* host:port each, none on another host without a secret unless is_insecure, and a secret that JSON
 * can carry. 0 or GW_ECONF with lines in errors. */
int registries_check(const struct conf *conf, const struct conf_section *s,
                     const struct conf_list *addresses, const char *secret, bool is_insecure,
                     struct buf *errors) NODISCARD;

#endif

/* Listening addresses of roles: parsed from their URLs in the config, bound before the first fork.
 */
#ifndef PROC_LISTEN_H
#define PROC_LISTEN_H

#include <stddef.h>

#include "base/compiler.h"
#include "proc/role.h"

/* Parses the value of a `listen` key: "scheme://127.0.0.1:80", "scheme://[::1]:80",
 * "scheme://0.0.0.0:80" or, for a unix socket, "scheme:///absolute/path". The scheme must be one of
 * `schemes` (ended by NULL); its position is returned. `url` must live as long as the config.
 * On GW_ECONF a line of conf_complain() that says what to write was added to errors.
 * out->is_shared is left false: set it when every process of the section listens there. */
int role_listen_parse(const struct conf *conf, const struct conf_section *s, const char *key,
                      const char *url, const char *const *schemes, struct role_listen *out,
                      struct buf *errors) NODISCARD;

/* Opens the address. *is_first tells that no process of this server has bound it before: then it
 * is tried without SO_REUSEPORT, because that option would let two servers of one user share a
 * port in silence. Port 0 is replaced by the one that the kernel chose. The descriptor or -errno.
 */
int listen_bind(struct role_listen *l, bool is_first) NODISCARD;

#endif

/* Commands that talk to a running server through its control socket. */
#ifndef CMD_REMOTE_H
#define CMD_REMOTE_H

#include "base/compiler.h"
#include "cmd/args.h"
#include "proc/master_conf.h"

/* Where a running server is found: from its config, or by default when that cannot be read. */
struct remote {
    const char *conf_file;
    const char *control_socket;
    const char *pid_file; /* NULL when only the default socket is known */
    uint64_t stop_timeout_ms, graceful_timeout_ms, prepare_timeout_ms, ready_timeout_ms;
};

/* Each returns an exit status (proc/exit_code.h). */
int remote_stop(const struct remote *r, const struct args *a) NODISCARD;
int remote_reload(const struct remote *r, const struct args *a) NODISCARD;
int remote_status(const struct remote *r, const struct args *a) NODISCARD;
int remote_connections(const struct remote *r, const struct args *a) NODISCARD;

/* Takes gateways out of service without haste, and back. */
int remote_drain(const struct remote *r, const struct args *a);
int remote_undrain(const struct remote *r, const struct args *a);

#endif

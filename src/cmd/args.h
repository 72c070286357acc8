/* The command line: which command, which options. */
#ifndef CMD_ARGS_H
#define CMD_ARGS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/compiler.h"

struct args {
    const char *command;   /* NULL when none was given */
    const char *conf_file; /* of -c; NULL when not given */
    bool is_detached;      /* -d: in the background; of status: live */
    bool is_graceful;      /* -g */
    bool is_quiet;         /* -q */
    bool is_json;          /* --json */
    bool comes_back;       /* --restart */
    const char *target;    /* of drain and undrain: a section or a pid; "gateway" when not given */
    unsigned rate;         /* --rate */
    unsigned seconds;      /* --seconds */
};

/* Command and options in any order, as the original takes them. 0, or -EINVAL with a line in
 * errors. */
int args_parse(int argc, char **argv, struct args *out, struct buf *errors) NODISCARD;

/* Whether its command has every option that was given; `allowed` are their short names, a space
 * between two. 0, or -EINVAL with a line in errors. */
int args_check(const struct args *a, const char *allowed, struct buf *errors) NODISCARD;

/* The config file to use: the one given, else the first that exists of ./gatehouse.conf and
 * /etc/gatehouse/gatehouse.conf, else the former. */
const char *args_find_conf(const char *given) NODISCARD;

#endif

/* The exit statuses of the `gatehouse` command, in one place (docs/operations.md repeats them). */
#ifndef PROC_EXIT_CODE_H
#define PROC_EXIT_CODE_H

enum {
    EXIT_CODE_OK = 0,          /* done; `stop` of a server that does not run as well */
    EXIT_CODE_FAILED = 1,      /* not done; the lines before say why */
    EXIT_CODE_USAGE = 2,       /* an unknown command or option */
    EXIT_CODE_NOT_RUNNING = 3, /* status, connections or reload of a server that does not run */
};

#endif

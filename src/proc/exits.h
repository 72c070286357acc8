/* How the processes of a section ended, and how often: the upper table of `status`. */
#ifndef PROC_EXITS_H
#define PROC_EXITS_H

#include <stddef.h>
#include <stdint.h>

enum { EXITS_MAX = 16, EXITS_TEXT_MAX = 48 };

struct exits {
    struct {
        int wait_status; /* as waitpid() gives it */
        uint64_t count;
    } at[EXITS_MAX]; /* the last one stands for all others when there are more */
    size_t len;
};

void exits_add(struct exits *e, int wait_status);
/* A number as the original shows it: the exit status, or the signal's number when killed. */
int exits_number(int wait_status);
/* "exit status 1", "killed by signal 9 (Killed)". */
void exits_text(int wait_status, char out[EXITS_TEXT_MAX]);

#endif

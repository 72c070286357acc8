/* How the processes of a section ended, and how often: the upper table of `status`. */
#include "proc/exits.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

void exits_add(struct exits *e, int wait_status)
{
    size_t pos = 0;
    while (pos < e->len && e->at[pos].wait_status != wait_status)
        pos++;
    if (pos == EXITS_MAX)
        pos--;
    if (pos == e->len) {
        e->at[pos].wait_status = wait_status;
        e->at[pos].count = 0;
        e->len++;
    }
    e->at[pos].count++;
}

int exits_number(int wait_status)
{
    return WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

void exits_text(int wait_status, char out[EXITS_TEXT_MAX])
{
    if (WIFSIGNALED(wait_status))
        snprintf(out, EXITS_TEXT_MAX, "killed by signal %d (%s)", WTERMSIG(wait_status),
                 strsignal(WTERMSIG(wait_status)));
    else
        snprintf(out, EXITS_TEXT_MAX, "exit status %d", WEXITSTATUS(wait_status));
}

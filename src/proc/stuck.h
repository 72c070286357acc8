/* Processes that do not answer: noticed, named by the callback that they sit in, killed if asked.
 */
#ifndef PROC_STUCK_H
#define PROC_STUCK_H

struct process;

/* One look, before the process is asked for its status again; between two looks lies a second. One
 * that has owed an answer for three looks, all of them in the same callback (or outside of any), is
 * reported once; after stuck_timeout of its section it is killed, and on_crash() of fleet.c starts
 * its successor. Looks are counted instead of time: a machine that slept has stuck nobody. */
void stuck_look(struct process *p);

#endif

/* gatehouse push: sends messages to clients by uid, group or id, from the command line or a pipe.
 */
#ifndef CMD_PUSH_H
#define CMD_PUSH_H

/* argv[0] is "push". Returns an exit status (proc/exit_code.h). */
int push_main(int argc, char **argv);

#endif

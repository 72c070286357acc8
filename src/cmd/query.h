/* gatehouse query: who is connected, in which groups, with which session; a table or JSON. */
#ifndef CMD_QUERY_H
#define CMD_QUERY_H

/* argv[0] is "query". Returns an exit status (proc/exit_code.h). */
int query_main(int argc, char **argv);

#endif

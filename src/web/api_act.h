/* Calls of the HTTP API that change something: sends, names, groups, sessions, farewells. */
#ifndef WEB_API_ACT_H
#define WEB_API_ACT_H

struct api_run;

/* {"receivers":3,"gateways":[{"gateway":"127.0.0.1:2300","receivers":3}]} */
void api_act_send(struct api_run *r);

/* All others: {"applied":2,"missing":["…"]}: how many there were, and which of the clients are not
 * there. Each is asked for behind the command on the same link, so that the answer comes when the
 * command is done. */
void api_act_bind(struct api_run *r);
void api_act_unbind(struct api_run *r);
void api_act_join(struct api_run *r);
void api_act_leave(struct api_run *r);
void api_act_session(struct api_run *r);
void api_act_kick(struct api_run *r);
void api_act_ungroup(struct api_run *r); /* applied: groups */

#endif

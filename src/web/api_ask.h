/* Calls of the HTTP API that only ask. Lists are cut at `limit`; "total" tells how long they are.
 */
#ifndef WEB_API_ASK_H
#define WEB_API_ASK_H

struct api_run;

/* {"clients":[id,…],"total":2}; for clients or uids that were named {"online":[{…,"online":true}]}
 */
void api_ask_online(struct api_run *r);
void api_ask_sessions(struct api_run *r); /* {"sessions":[{"client":…,"session":{…}}],"total":1} */
void api_ask_groups(struct api_run *r); /* {"groups":[{"group":…,"clients":3}],"total":1} */
void api_ask_uids(struct api_run *r);   /* {"uids":[{"uid":…}],"total":1} */
void api_ask_count(struct api_run *r);  /* {"clients":3,"uids":2}; of groups {"groups":[{…}]} */
void api_ask_client(struct api_run *r); /* {"clients":[{…}]} */

#endif

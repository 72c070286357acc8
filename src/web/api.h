/* The HTTP API: requests under /api/ become calls of the Gateway API, answered when they are done.
 */
#ifndef WEB_API_H
#define WEB_API_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "proc/role.h"
#include "proto/http.h"
#include "web/web_conf.h"

struct api;
struct api_call;

/* Without its status line and what every answer of the site has. */
struct api_answer {
    int status;
    struct buf lines; /* header lines */
    struct buf body;  /* JSON; empty: there is none */
    bool is_last;     /* the connection cannot go on */
};
void api_answer_fini(struct api_answer *a);

/* *out is NULL when the config has no key: then there is no API. 0 or an error, logged. */
int api_open(const struct role_env *env, const struct web_conf *conf, const struct peer_tls *tls,
             struct span *credentials, struct api **out) NODISCARD;
/* A reload: takes the tokens that are in the files now, the old ones open nothing more. a may be
 * NULL. What cannot be taken is logged, and the old ones stay. */
void api_renew(struct api *a, struct span *credentials);
/* Ends the calls and closes the links; on_closed follows, perhaps from this call. NULL: at once. */
void api_close(struct api *a, void (*on_closed)(void *owner), void *owner);

/* Whether the path is the API's. a may be NULL. */
bool api_serves(const struct api *a, struct span path);
/* From the head alone, so that bodies of strangers are not read: true when the body is wanted, else
 * *out is the answer. */
bool api_admit(struct api *a, const struct http_request *r, struct api_answer *out) NODISCARD;
/* An answer to a request whose body was refused on the way. */
void api_refuse(int status, const char *code, const char *text, struct api_answer *out);

/* Borrowed for the call. */
typedef void api_done_fn(void *owner, const struct api_answer *answer);
/* Runs an admitted request, which is borrowed for this call. on_done follows once, perhaps from
 * this call: then NULL is returned. */
struct api_call *api_start(struct api *a, const struct http_request *r, struct span body,
                           api_done_fn *on_done, void *owner) NODISCARD;
/* Whoever asked is gone: on_done does not follow. The call itself goes on. */
void api_forget(struct api_call *c);

#endif

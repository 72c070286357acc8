/* One HTTP request as a module sees it, kept until its callback is done, and its answer's state. */
#ifndef SERVICE_EXCHANGE_H
#define SERVICE_EXCHANGE_H

#include <stdbool.h>

#include <gw/http.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/span.h"
#include "proto/http.h"

enum answer_state {
    ANSWER_NONE,
    ANSWER_BEGUN,  /* pieces follow */
    ANSWER_EVENTS, /* a stream that ends with the connection */
    ANSWER_DONE,
};

struct exchange_field {
    const char *name;
    const char *value;
};

/* Names and values in pairs; grown as they are read. */
struct exchange_fields {
    struct exchange_field *at;
    size_t len;
    size_t cap;
};

struct gw_http {
    struct gw_conn *conn;
    struct arena *texts; /* behind a pointer: the request is const to those who read it */
    struct arena own_texts;
    const char *method, *path, *query;
    struct exchange_fields headers;
    struct buf body;
    struct form **form_slot; /* &form, for the same reason */
    struct form *form;       /* read when it is asked for first */

    enum answer_state state;
    struct buf more_headers; /* of the answer */
    bool is_keep_alive;
    bool is_http_1_0;
    bool is_head;
    bool is_chunked;
    bool has_body;
};

/* Copies all that is borrowed. */
struct gw_http *exchange_new(struct gw_conn *conn, const struct http_request *r, struct span body);
void exchange_free(struct gw_http *h); /* NULL is fine */

#endif

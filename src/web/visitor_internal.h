/* What the parts of a visitor share: requests and pages (visitor.c), calls of the HTTP API
 * (visitor_call.c), metrics (visitor_scrape.c). */
#ifndef WEB_VISITOR_INTERNAL_H
#define WEB_VISITOR_INTERNAL_H

#include <stdbool.h>

#include "web/visitor.h"

/* The comment on top of visitor.c tells them apart. */
enum visitor_phase {
    VISITOR_WAITING,
    VISITOR_HEADING,
    VISITOR_BODY,
    VISITOR_ASKING,
    VISITOR_SENDING,
};

struct visitor {
    struct list node; /* of visitors.waiting or visitors.busy */
    struct visitors *all;
    struct conn *conn;
    enum visitor_phase phase;
    struct addr proxy;          /* the peer, while the connection's is whom it asks for */
    bool is_proxied;            /* the peer is a trusted proxy */
    bool is_paused;             /* the connection reads nothing until all is sent */
    bool is_last;               /* the answer that ends the connection is queued */
    bool has_file;              /* a file is among the output: conn sends one at a time */
    size_t searched;            /* for http_resume_request() */
    uint64_t skip_bytes;        /* of a request body that nobody wants */
    void *codec;                /* state of http_codec while a call's body comes; or NULL */
    struct api_call *call;      /* under way; or NULL */
    struct scrape scrape;       /* waits, or not */
    struct http_request *asked; /* what the answer depends on: see visitor_keep_request() */
    uint64_t sent_before;       /* written bytes when the deadline was set */
};

/* The deadline of a phase; 0: none. */
void visitor_enter(struct visitor *v, enum visitor_phase phase, uint64_t timeout_ms);
/* Queues an answer; the phase is VISITOR_SENDING afterwards. Takes the file, the rest stays the
 * caller's. */
void visitor_send(struct visitor *v, struct answer *a);

/* Keeps of a request what its answer depends on, for when its bytes are gone: in v->asked, which
 * the answer takes. */
void visitor_keep_request(struct visitor *v, const struct http_request *r);

/* A request for metrics: answered, or v->scrape waits. */
void visitor_take_scrape(struct visitor *v, const struct http_request *r);

/* A request under /api/, whose head of head_len bytes was read at the front of the bytes. Returns
 * how many bytes were used. Then v->codec waits for more, or v->call is under way, or neither: it
 * was answered. */
size_t visitor_take_call(struct visitor *v, const struct http_request *r, size_t head_len,
                         uint8_t *at, size_t len);
/* Gives the bytes to v->codec until the request is whole; returns how many it used. */
size_t visitor_use_body(struct visitor *v, uint8_t *at, size_t len);
/* Answers that the body went wrong, and ends the connection. */
void visitor_refuse_body(struct visitor *v, int rc);
/* The visitor leaves: nobody waits for the answer of a call any more. */
void visitor_drop_call(struct visitor *v);

#endif

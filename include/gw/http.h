/* HTTP in a service: one request, and the answer to it. */
#ifndef GW_HTTP_H
#define GW_HTTP_H

#include <gw/err.h>
#include <gw/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gw_http; /* valid until its callback returns, also across calls that suspend */
struct gw_conn;

/* The request. Texts are NUL-terminated and live as long as it; NULL when absent. None suspends. */
GW_API const char *gw_http_method(const struct gw_http *h);
GW_API const char *gw_http_path(const struct gw_http *h);  /* as sent, without the query */
GW_API const char *gw_http_query(const struct gw_http *h); /* "" without one */
GW_API const char *gw_http_get(const struct gw_http *h, const char *name);    /* decoded */
GW_API const char *gw_http_header(const struct gw_http *h, const char *name); /* any case */
GW_API const char *gw_http_cookie(const struct gw_http *h, const char *name); /* decoded */
GW_API struct gw_bytes gw_http_body(const struct gw_http *h);
/* A field of a posted form, urlencoded or multipart. */
GW_API const char *gw_http_form(const struct gw_http *h, const char *name);

struct gw_upload {
    const char *field;
    const char *filename; /* as the client says: never a path to write to */
    const char *type;     /* "application/octet-stream" when the client names none */
    struct gw_bytes data;
};
/* The uploads of a multipart form, by number from 0; false past the last. */
GW_API bool gw_http_upload(const struct gw_http *h, size_t pos, struct gw_upload *out);

/* A header of the answer, before it begins (else GW_ECONTEXT). The framing is ours: -EINVAL for
 * Connection, Keep-Alive, Upgrade, Date, Content-Length, Transfer-Encoding, and for anything that
 * is no header. GW_ETOOBIG past 16 KiB of them. */
GW_API int gw_http_set(struct gw_http *h, const char *name, const char *value);
/* The whole answer, copied; does not suspend. type is the Content-Type, NULL for none; status is
 * 200 to 599, else -EINVAL. Once per request: GW_ECONTEXT afterwards; GW_ECLOSED when the client
 * left. */
GW_API int gw_http_answer(struct gw_http *h, int status, const char *type, struct gw_bytes body);
/* An answer in pieces, chunked (to HTTP/1.0: until the end of the connection). gw_http_write()
 * copies and suspends while send_buffer_size bytes wait; GW_ECONTEXT before gw_http_begin() and
 * after gw_http_end(). Other errors as above. */
GW_API int gw_http_begin(struct gw_http *h, int status, const char *type);
GW_API int gw_http_write(struct gw_http *h, struct gw_bytes piece);
GW_API int gw_http_end(struct gw_http *h); /* what the end of the callback does otherwise */
/* Server-sent events: the answer goes on until the client leaves or gw_conn_close(). The callback
 * may return; events are sent with gw_conn_send_event(), whenever and from wherever. Errors as of
 * gw_http_answer(). */
GW_API int gw_http_begin_events(struct gw_http *h);
/* Queues an event (copied); event and id may be NULL. Does not suspend. 0, GW_ECLOSED; GW_EFULL
 * with send_buffer_size bytes waiting, then nothing was queued; -EINVAL for a line end in event or
 * id; GW_ECONTEXT when the connection is no stream of events. */
GW_API int gw_conn_send_event(struct gw_conn *conn, const char *event, const char *id,
                              struct gw_bytes data);

#ifdef __cplusplus
}
#endif
#endif

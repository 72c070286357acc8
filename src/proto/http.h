/* HTTP/1.1 messages (RFC 9112): request heads, response heads, dates, percent-decoding. */
#ifndef PROTO_HTTP_H
#define PROTO_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/span.h"

enum { HTTP_HEADERS_MAX = 64 };

struct http_header {
    struct span name;
    struct span value; /* trimmed */
};

/* All spans point into the bytes that were parsed. */
struct http_request {
    struct span method;
    struct span target; /* as sent: "/a?b=c" */
    struct span path;   /* the target's path before '?' and '#', not decoded; "/" when empty */
    struct span query;  /* between '?' and '#', "" when there is none */
    int minor;          /* HTTP/1.minor */
    size_t headers_n;
    struct http_header headers[HTTP_HEADERS_MAX];
    bool is_keep_alive;
    bool is_chunked;
    bool has_body;           /* is_chunked or content_length > 0 */
    uint64_t content_length; /* 0 when there is none */
    /* Lines without a colon were left out. They have no meaning to smuggle, and handshakes of the
     * original pass with them (vector repeated_header); an HTTP server refuses them. */
    bool has_stray_lines;

    /* Set when parsing fails: the status of the answer and one sentence for its body. */
    int error_status;
    const char *error_text;
};

/* Parses a request head that ends in an empty line. Returns its length, 0 when the end is not yet
 * there, GW_ETOOBIG beyond max_bytes (0: no limit) or HTTP_HEADERS_MAX, GW_EPROTO for anything that
 * RFC 9112 lets two readers understand in two ways (both lengths, two lengths, folded lines, blanks
 * before the colon, bare CR, NUL). A lone LF as line end is accepted as the RFC allows. Input that
 * cannot become a request is refused before its end is there. */
ssize_t http_parse_request(struct span in, size_t max_bytes, struct http_request *out) NODISCARD;
/* The same for a head that trickles in: *searched (0 at first) holds how far an earlier call came
 * on the same bytes, so that none is searched twice. */
ssize_t http_resume_request(struct span in, size_t max_bytes, size_t *searched,
                            struct http_request *out) NODISCARD;

/* tchar of RFC 9110 §5.6.2: what names and methods are made of. */
bool http_is_token_char(uint8_t c);
/* Reads one header or trailer line without its line end (RFC 9112 §5). */
bool http_parse_field(struct span line, struct http_header *out) NODISCARD;

/* The first header of that name (case-insensitive); {NULL, 0} when absent. */
struct span http_header(const struct http_request *r, const char *name);
/* Whether a comma-separated value lists the token, case-insensitive. */
bool http_lists(struct span value, const char *token);
/* Whether a comma-separated header (all occurrences) lists the token, case-insensitive. */
bool http_header_has(const struct http_request *r, const char *name, const char *token);

const char *http_reason(int status); /* "Not Found" */
/* Appends "HTTP/1.1 404 Not Found\r\n" and a Date of now_s; further lines are the caller's. */
void http_put_status(struct buf *out, int status, int64_t now_s);
void http_put_header(struct buf *out, const char *name,
                     struct span value); /* refuses CR/LF: aborts */
/* A complete small answer with a text/plain body, Content-Length and Connection: close. */
void http_put_error(struct buf *out, int status, const char *text, int64_t now_s);

void http_put_date(struct buf *out, int64_t time_s);     /* RFC 9110 §5.6.7, IMF-fixdate */
bool http_parse_date(struct span text, int64_t *time_s); /* the three forms of §5.6.7 */

/* Decodes %XX (and '+' as blank when is_query) into out; false on a bad escape. */
bool http_percent_decode(struct span in, bool is_query, struct buf *out);

#endif

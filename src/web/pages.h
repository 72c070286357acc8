/* What a web role serves: files, /health, /gatehouse.json, /gatehouse.js; a request in, an answer
 * out, no I/O but reading files. */
#ifndef WEB_PAGES_H
#define WEB_PAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "proto/http.h"
#include "web/web_conf.h"

struct pages;

/* Opens the folder; borrows conf. NULL: errno. */
struct pages *pages_open(const struct web_conf *conf, const char *root) NODISCARD;
void pages_close(struct pages *p); /* NULL is fine */

/* Small bodies are in `bytes` behind the head; of a large one the file is given. */
struct answer {
    struct buf bytes;
    int fd; /* -1: all is in bytes; else the caller's */
    uint64_t file_at;
    uint64_t file_len;
    int status;
    bool is_last; /* the connection closes after this answer */
};

/* Fills a zero-initialised answer. */
void pages_answer(struct pages *p, const struct http_request *r, int64_t now_s, struct answer *out);
/* An error without a request that could be understood; always the last answer. */
void pages_refuse(const struct pages *p, int status, const char *text, int64_t now_s,
                  struct answer *out);
/* Another part of the role has the answer; `lines` are further header lines. */
void pages_answer_json(const struct pages *p, const struct http_request *r, int status,
                       struct span lines, struct span json, bool is_last, int64_t now_s,
                       struct answer *out);
/* The same with a text; also the answer to requests that bring a body. */
void pages_answer_text(const struct pages *p, const struct http_request *r, int status,
                       const char *lines, const char *type, struct span text, bool is_last,
                       int64_t now_s, struct answer *out);
void answer_fini(struct answer *a); /* closes fd */

#endif

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
/* What another part of the role answers: nobody may keep it. */
struct page_text {
    int status;        /* with 204 there is neither type nor body */
    struct span lines; /* further header lines */
    const char *type;
    struct span body;
    bool is_last;
};
void pages_answer_as(const struct pages *p, const struct http_request *r,
                     const struct page_text *text, int64_t now_s, struct answer *out);
void answer_fini(struct answer *a); /* closes fd */

#endif

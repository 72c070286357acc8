/* Validators of a file and the conditional requests that name them (RFC 9110 §8.8, §13). */
#ifndef WEB_VALIDATOR_H
#define WEB_VALIDATOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "proto/http.h"

struct validator {
    char etag[64];      /* with its quotes; strong */
    int64_t modified_s; /* Last-Modified */
};

enum validator_verdict {
    VALIDATOR_SEND,         /* answer as if there were no condition */
    VALIDATOR_NOT_MODIFIED, /* 304 */
    VALIDATOR_FAILED,       /* 412 */
};

void validator_init(struct validator *v, const struct stat *file);
/* Weighs the conditions of a GET or HEAD in the order of RFC 9110 §13.2.2. */
enum validator_verdict validator_judge(const struct validator *v, const struct http_request *r);
/* Whether a Range header counts: true without If-Range, else only when it names this very file. */
bool validator_allows_range(const struct validator *v, const struct http_request *r);

#endif

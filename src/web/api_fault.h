/* Why a call of the HTTP API failed: a status, a code for programs, a field and a sentence. */
#ifndef WEB_API_FAULT_H
#define WEB_API_FAULT_H

#include <stddef.h>

#include <gw/json.h>

#include "base/compiler.h"

struct api_fault {
    int status;       /* 0: there is none */
    const char *code; /* static */
    char field[64];   /* "" for none */
    char message[160];
};

/* Always GW_EPROTO, for `return api_fault_set(…)`. field may be NULL. Bytes that are not UTF-8 are
 * replaced: names of fields come from the peer. */
int api_fault_set(struct api_fault *f, int status, const char *code, const char *field,
                  const char *fmt, ...) PRINTF_LIKE(5, 6);
/* The fault that an error of the Gateway API amounts to. */
void api_fault_from(struct api_fault *f, int rc);
/* The code alone: "timeout". */
const char *api_fault_code(int rc);

/* {"error":{"code":…,"field":…,"message":…}} */
struct gw_json *api_fault_json(const struct api_fault *f) NODISCARD;

#endif

/* The arguments of one call of the HTTP API, read from JSON and checked, and what is wrong with
 * them.
 */
#ifndef WEB_API_ARGS_H
#define WEB_API_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gw/json.h>
#include <gw/types.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/span.h"
#include "web/api_fault.h"

enum api_field {
    API_CLIENT = 1 << 0,
    API_UID = 1 << 1,
    API_GROUP = 1 << 2,
    API_ALL = 1 << 3,
    API_EXCLUDE = 1 << 4,
    API_MESSAGE = 1 << 5,
    API_JSON = 1 << 6,
    API_BASE64 = 1 << 7,
    API_RAW = 1 << 8,
    API_BINARY = 1 << 9,
    API_AT_ONCE = 1 << 10,
    API_SET = 1 << 11,
    API_UPDATE = 1 << 12,
    API_MEMBERS = 1 << 13,
    API_LIMIT = 1 << 14,
};
#define API_ANY_MESSAGE (API_MESSAGE | API_JSON | API_BASE64)

struct api_limits {
    size_t targets_n; /* clients, uids, groups of one call */
    size_t results_n; /* entries of one answer */
};

struct api_names {
    struct gw_bytes *at; /* each NUL-terminated behind its length */
    char **texts;        /* the same, for client ids */
    size_t n;
};

struct api_args {
    unsigned given; /* enum api_field */
    struct api_names clients, uids, groups, exclude;
    bool is_raw, is_binary, is_at_once;
    bool wants_uids;    /* members=uids, else clients */
    struct buf message; /* of any of the three kinds */
    struct buf session; /* a JSON object, NUL-terminated behind its length */
    size_t limit;       /* never 0 */
    const struct api_limits *limits;
};

/* What a call takes. */
struct api_shape {
    unsigned takes;
    unsigned needs;       /* all of them */
    unsigned one_of;      /* exactly one of them; 0: no such rule */
    unsigned at_most_one; /* of them */
    bool is_single_uid;   /* a list of uids makes no sense */
};

/* Reads an object, members of which a call of that shape takes. Strings are read as numbers where
 * they come from a query. 0, or GW_EPROTO with the fault; *out is to be finished in both cases. */
int api_args_read(struct api_args *out, const struct gw_json *in, const struct api_shape *shape,
                  const struct api_limits *limits, struct api_fault *fault) NODISCARD;
void api_args_fini(struct api_args *a);

/* "group=a&group=b&limit=5" as an object: {"group":["a","b"],"limit":"5"}; NULL with the fault when
 * it cannot be decoded. "call" is left to the caller like any other name. */
struct gw_json *api_args_of_query(struct span query, struct api_fault *fault) NODISCARD;

#endif

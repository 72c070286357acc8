/* The [api NAME] sections: each is one key of the HTTP API. */
#ifndef WEB_API_CONF_H
#define WEB_API_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/conf.h"

struct api_key_conf {
    const char *token;
    const char *token_file;
    struct conf_list calls;
    struct conf_list groups; /* patterns; empty: every group, and clients outside of any */
    int64_t rate;
};

extern const struct conf_table api_key_table;

/* Whether the config has a key, so that there is an API to serve. */
bool api_conf_is_on(const struct conf *conf);
/* What the table cannot express, of all keys. 0 or GW_ECONF with a line each in `errors`. */
int api_conf_check(const struct conf *conf, struct buf *errors) NODISCARD;

/* The token of a key, from wherever it is; appended to out. 0, -errno of its file, or GW_ENOTFOUND
 * when there is none. */
int api_conf_token(const struct conf *conf, const struct api_key_conf *c,
                   struct buf *out) NODISCARD;

#endif

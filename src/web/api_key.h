/* Keys of the HTTP API: who calls, what they may call, for which groups, how often. */
#ifndef WEB_API_KEY_H
#define WEB_API_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/conf.h"
#include "base/span.h"

enum { API_DIGEST_BYTES = 32 }; /* SHA-256 of the token */

struct api_key {
    const char *name; /* of its section */
    uint8_t digest[API_DIGEST_BYTES];
    uint32_t calls; /* bits by position in the table of calls */
    struct conf_list groups;
    int64_t rate;          /* calls per second; 0: no limit */
    int64_t credit_milli;  /* thousandths of calls; below 0 while a large batch is paid off */
    uint64_t credit_at_ms; /* when the credit was right */
};

struct api_keys {
    struct api_key *at;
    size_t n;
};

/* Reads the tokens of all [api] sections, checks them and appends a part with the digest of each to
 * *credentials: by the master, since token_file may be for its eyes only. 0, or GW_ECONF with a
 * line each in errors. */
int api_keys_read(const struct conf *conf, struct buf *credentials, struct buf *errors) NODISCARD;
/* Makes keys of every [api] section and of what api_keys_read() wrote, which is cut off
 * *credentials. 0, or GW_ECONF, logged: it did not arrive. conf must outlive the keys. */
int api_keys_load(struct api_keys *k, const struct conf *conf, struct span *credentials,
                  uint64_t now_ms) NODISCARD;
/* Takes new digests, of the same config, as api_keys_load() does; scopes and credits stay. After
 * GW_ECONF, logged, the keys are as they were. */
int api_keys_renew(struct api_keys *k, struct span *credentials) NODISCARD;
void api_keys_fini(struct api_keys *k);

/* The key with that token, or NULL. Takes as long for one token as for any other. */
struct api_key *api_keys_find(const struct api_keys *k, struct span token);

bool api_key_may_call(const struct api_key *k, unsigned op);
/* Whether it reaches clients through its groups only. */
bool api_key_is_confined(const struct api_key *k);
bool api_key_may_group(const struct api_key *k, struct span group);
/* Takes n calls off the credit, which may be overdrawn once. 0, or in how many seconds to try
 * again. */
unsigned api_key_charge(struct api_key *k, size_t n, uint64_t now_ms);

#endif

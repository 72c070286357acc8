/* Whom a command is for: uids, groups or connections, read from the JSON in its ext_data. */
#ifndef GATEWAY_RECEIVERS_H
#define GATEWAY_RECEIVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/span.h"

struct php_doc;
struct php_key;
struct php_value;

/* Reused from command to command. The plain forms that libraries write are read without allocation;
 * everything else that PHP would accept goes through a document. */
struct receivers {
    struct span *names; /* uids or groups; borrow the ext_data or the document */
    size_t names_n, names_cap;
    uint32_t *ids; /* connections, or those to leave out */
    size_t ids_n, ids_cap;
    bool has_connections; /* CMD_SEND_TO_ALL: ids are the receivers */
    struct php_doc *doc;  /* NULL when the plain form was read */
};

void receivers_fini(struct receivers *t);

/* Each begins anew and never fails: what makes no sense names nobody, as in the original; nested
 * arrays, of which it dies, are skipped (gateway-edge-cases.json send_group_nested). */
void receivers_read_uids(struct receivers *t, struct span ext); /* ["a","b",5] */
void receivers_read_groups(struct receivers *t,
                           struct span ext); /* {"group":["a"],"exclude":{"1":1}} */
void receivers_read_all(struct receivers *t,
                        struct span ext); /* {"exclude":…} or {"connections":…} */

/* A value as the text of the array key that PHP makes of it: 1.9 is "1", true "1", null "". false:
 * an array. The text may be made in the document. */
bool receivers_key_text(struct php_doc *doc, const struct php_value *v,
                        struct span *text) NODISCARD;
/* A connection id from a key's text; 0 when it is none. */
uint32_t receivers_id(struct span text);
uint32_t receivers_id_of_key(const struct php_key *key);

#endif

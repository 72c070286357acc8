/* Names met in the answers, in the order of their first appearance, with clients, counts or names.
 */
#ifndef CLIENT_GATHER_H
#define CLIENT_GATHER_H

#include <stdint.h>

#include "base/map.h"
#include "base/span.h"
#include "client/addr_book.h"
#include "client/breath.h"
#include "client/result.h"
#include "proto/phpser.h"

struct gather {
    struct map *names;
    struct breath *breath; /* taken while lists are walked that may be long */
};

void gather_init(struct gather *g, struct breath *breath);
void gather_fini(struct gather *g);

/* Names that appeared before are joined with. */
void gather_name(struct gather *g, struct span name);
void gather_count(struct gather *g, struct span name, uint64_t count);
void gather_client(struct gather *g, struct span name, struct gateway_at at, int64_t connection_id);
/* A name within that name, once each. */
void gather_member(struct gather *g, struct span name, struct span member);
size_t gather_len(const struct gather *g);

/* A key or value that stands for a name: text as it is, integers in decimal (into `digits`). */
struct span gather_key_text(const struct php_key *key, char digits[24]);
struct span gather_value_text(const struct php_value *v, char digits[24]);
/* The client id of a connection of that gateway; false for a number that is none. */
bool gather_id_text(struct gateway_at at, int64_t connection_id, char out[CLIENT_ID_LEN + 1]);

/* Moves what was gathered into the list of a result. */
void gather_names(const struct gather *g, struct result *r);
void gather_clients(const struct gather *g, struct result *r);
void gather_counts(const struct gather *g, struct result *r);
void gather_members(const struct gather *g, struct result *r);

#endif

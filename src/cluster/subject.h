/* The names of things on NATS: all gateways, one gateway, a group, a uid, the answers to one
 * process. */
#ifndef CLUSTER_SUBJECT_H
#define CLUSTER_SUBJECT_H

#include <stdint.h>

#include "base/span.h"
#include "client/addr_book.h"

/* A prefix, and the longest name in base64: the longest subject of all. NATS takes 4,096 bytes for
 * a whole protocol line. */
enum { SUBJECT_PREFIX_MAX = 64, SUBJECT_MAX = SUBJECT_PREFIX_MAX + 352 };

enum subject_kind { SUBJECT_GROUP = 'g', SUBJECT_UID = 'u' };

/* Each writes a C string. `prefix` is the cluster's name, of SUBJECT_PREFIX_MAX bytes at most. */
void subject_all(const char *prefix, char out[SUBJECT_MAX]);   /* PREFIX.all: every gateway */
void subject_parts(const char *prefix, char out[SUBJECT_MAX]); /* PREFIX.parts: who sends */
/* PREFIX.at.IPIPIPIPPORT, in hex as a client_id begins. */
void subject_at(const char *prefix, struct gateway_at at, char out[SUBJECT_MAX]);
/* PREFIX.g.NAME or PREFIX.u.NAME: the name's 1 to 255 bytes as base64url without padding (RFC 4648
 * §5), because NATS gives a meaning to ".", "*", ">" and blanks. */
void subject_name(const char *prefix, enum subject_kind kind, struct span name,
                  char out[SUBJECT_MAX]);
void subject_inbox(const char *prefix, uint64_t id, char out[SUBJECT_MAX]); /* PREFIX.re.ID */

#endif

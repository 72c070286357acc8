/* Keys of TLS session tickets, made from a secret and the time instead of being passed around. */
#ifndef NET_TLS_TICKET_H
#define NET_TLS_TICKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

/* Every process of a section has the same secret and therefore the same keys at the same time. Keys
 * change each TLS_TICKET_EPOCH_S; those of the epoch before still open tickets, so that a ticket
 * lives for one epoch at least. */
enum { TLS_TICKET_EPOCH_S = 6 * 3600 };

struct tls_ticket_keys {
    uint8_t name[16];
    uint8_t cipher[32]; /* AES-256-CBC */
    uint8_t mac[32];    /* HMAC-SHA-256 */
};

void tls_ticket_keys(struct span secret, int64_t now_s, struct tls_ticket_keys *out);
/* The keys that the name belongs to; *is_old: of the epoch before. false: no keys of ours. */
bool tls_ticket_find(struct span secret, int64_t now_s, const uint8_t name[16],
                     struct tls_ticket_keys *out, bool *is_old);

#endif

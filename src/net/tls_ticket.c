/* Keys of TLS session tickets, made from a secret and the time instead of being passed around. */
#include "net/tls_ticket.h"

#include <string.h>

#include "base/bytes.h"
#include "base/crypto.h"

/* HMAC as a key derivation: one input per use and epoch. */
static void derive(struct span secret, char use, int64_t epoch, uint8_t out[32])
{
    uint8_t input[9] = {(uint8_t)use};
    put_u64be(input + 1, (uint64_t)epoch);
    crypto_hmac_sha256(secret, span_of(input, sizeof input), out);
}

static void keys_of(struct span secret, int64_t epoch, struct tls_ticket_keys *out)
{
    uint8_t name[32];
    derive(secret, 'n', epoch, name);
    memcpy(out->name, name, sizeof out->name);
    derive(secret, 'c', epoch, out->cipher);
    derive(secret, 'm', epoch, out->mac);
}

void tls_ticket_keys(struct span secret, int64_t now_s, struct tls_ticket_keys *out)
{
    keys_of(secret, now_s / TLS_TICKET_EPOCH_S, out);
}

bool tls_ticket_find(struct span secret, int64_t now_s, const uint8_t name[16],
                     struct tls_ticket_keys *out, bool *is_old)
{
    for (int age = 0; age <= 1; age++) {
        keys_of(secret, now_s / TLS_TICKET_EPOCH_S - age, out);
        *is_old = age > 0;
        if (memcmp(out->name, name, sizeof out->name) == 0)
            return true;
    }
    return false;
}

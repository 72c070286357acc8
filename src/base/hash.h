/* Seeded hashes: SipHash-1-3 for tables whose keys a peer may choose, a multiplication for ids. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdint.h>

#include "base/span.h"

struct hash_seed {
    uint64_t k0, k1;
};

/* Drawn from the kernel once per process and inherited over fork; from any thread. */
struct hash_seed hash_seed(void);
uint64_t hash_bytes(struct hash_seed seed, struct span key);
/* Equals hash_bytes() over the eight bytes of id, little-endian. */
uint64_t hash_u64(struct hash_seed seed, uint64_t id);

/* For numbers that are given out here, so that a peer can choose at most which of them it keeps:
 * multiplied by a secret odd number (Dietzfelbinger et al., "A reliable randomized algorithm for
 * the closest-pair problem", §2), a tenth of the work. Good in its low 32 bits. */
static inline uint64_t hash_id(struct hash_seed seed, uint64_t id)
{
    uint64_t product = (id ^ seed.k0) * (seed.k1 | 1);
    return product ^ product >> 32;
}

#endif

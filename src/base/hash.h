/* A seeded hash for tables whose keys a peer may choose: SipHash-1-3. */
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

#endif

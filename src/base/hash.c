/* SipHash-1-3: one round per word, three at the end (Aumasson and Bernstein, "SipHash: a fast
 * short-input PRF", §2). Full strength is not needed: nobody sees the values. */
#include "base/hash.h"

#include <endian.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>

#include "base/log.h"

static struct hash_seed process_seed;

static void draw_seed(void)
{
    if (getrandom(&process_seed, sizeof process_seed, 0) != (ssize_t)sizeof process_seed)
        log_fatal("getrandom: the kernel gives no random bytes");
}

struct hash_seed hash_seed(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, draw_seed);
    return process_seed;
}

struct sip {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotl(uint64_t x, int n)
{
    return x << n | x >> (64 - n);
}

static inline void sip_round(struct sip *s)
{
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = rotl(s->v1, 13) ^ s->v0;
    s->v3 = rotl(s->v3, 16) ^ s->v2;
    s->v0 = rotl(s->v0, 32) + s->v3;
    s->v2 += s->v1;
    s->v1 = rotl(s->v1, 17) ^ s->v2;
    s->v3 = rotl(s->v3, 21) ^ s->v0;
    s->v2 = rotl(s->v2, 32);
}

static inline struct sip sip_start(struct hash_seed seed)
{
    /* The ASCII text "somepseudorandomlygeneratedbytes", as the paper has it. */
    return (struct sip){
        .v0 = seed.k0 ^ UINT64_C(0x736f6d6570736575),
        .v1 = seed.k1 ^ UINT64_C(0x646f72616e646f6d),
        .v2 = seed.k0 ^ UINT64_C(0x6c7967656e657261),
        .v3 = seed.k1 ^ UINT64_C(0x7465646279746573),
    };
}

static inline void sip_word(struct sip *s, uint64_t word)
{
    s->v3 ^= word;
    sip_round(s);
    s->v0 ^= word;
}

static inline uint64_t sip_end(struct sip *s)
{
    s->v2 ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(s);
    return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

uint64_t hash_bytes(struct hash_seed seed, struct span key)
{
    struct sip s = sip_start(seed);
    uint64_t word;
    size_t at = 0;
    for (; key.len - at >= 8; at += 8) {
        memcpy(&word, key.at + at, 8);
        sip_word(&s, le64toh(word));
    }
    /* The last word holds the bytes that are left and, on top, the length modulo 256. */
    word = (uint64_t)key.len << 56;
    for (int shift = 0; at < key.len; at++, shift += 8)
        word |= (uint64_t)key.at[at] << shift;
    sip_word(&s, word);
    return sip_end(&s);
}

uint64_t hash_u64(struct hash_seed seed, uint64_t id)
{
    struct sip s = sip_start(seed);
    sip_word(&s, id);
    sip_word(&s, UINT64_C(8) << 56);
    return sip_end(&s);
}

/* Undoes permessage-deflate without context takeover (RFC 7692 §7.2.2): every message stands alone.
 */
#ifndef BENCH_INFLATER_H
#define BENCH_INFLATER_H

#include <stddef.h>
#include <stdint.h>

/* The message behind a compressed payload; borrowed until the next call. Its length, or -1 when it
 * is damaged or longer than 1 MiB. */
long inflater_run(const uint8_t *at, size_t len, const uint8_t **message);

#endif

/* Undoes permessage-deflate without context takeover. */
#include "bench/inflater.h"

#include <stdbool.h>
#define ZLIB_CONST /* zlib then promises not to write to its input */
#include <zlib.h>

enum { MESSAGE_MAX = 1 << 20, RAW_WINDOW_BITS = -15 };

long inflater_run(const uint8_t *at, size_t len, const uint8_t **message)
{
    static z_stream z;
    static bool is_ready;
    static uint8_t out[MESSAGE_MAX];
    static const uint8_t tail[] = {0x00, 0x00, 0xff, 0xff}; /* the sender left it off */
    if (!is_ready && inflateInit2(&z, RAW_WINDOW_BITS) != Z_OK)
        return -1;
    is_ready = true;
    inflateReset(&z);
    z.next_in = at;
    z.avail_in = (uInt)len;
    z.next_out = out;
    z.avail_out = sizeof out;
    int rc = inflate(&z, Z_SYNC_FLUSH);
    if (rc == Z_OK && z.avail_in == 0) {
        z.next_in = tail;
        z.avail_in = sizeof tail;
        rc = inflate(&z, Z_SYNC_FLUSH);
    }
    if (rc != Z_OK && rc != Z_BUF_ERROR && rc != Z_STREAM_END)
        return -1;
    *message = out;
    return z.avail_out > 0 ? (long)(sizeof out - z.avail_out) : -1;
}

/* Feeds a codec as a connection would, in pieces of any size, and writes down what comes out. */
#ifndef SUPPORT_FEED_H
#define SUPPORT_FEED_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"
#include "proto/codec.h"

/* One line of text per event, payloads with \xNN for what is not printable, long ones by length
 * and checksum:
 *     open GET /x
 *     text 5 hello            binary 2 \x00\xff
 *     request POST /x 3 abc   (with " last" when the connection ends after it)
 *     control
 *     close 1000 bye
 *     error -1002             (nothing is fed any more)
 */
struct feed {
    const struct codec *codec;
    const struct codec_conf *conf;
    void *state;
    uint8_t *rest; /* bytes not used yet, in a block of exactly their size */
    size_t rest_len;
    int error;
    struct buf events;
    struct buf replies; /* without the lines of HTTP dates */
};

void feed_init(struct feed *f, const struct codec *codec, const struct codec_conf *conf);
void feed_fini(struct feed *f);

/* Gives the codec some more bytes. Aborts when it says that it used more than it was given,
 * or hands out a payload above message_max_bytes. */
void feed_bytes(struct feed *f, struct span bytes);

/* How to cut: 0 whole, 1 byte by byte, other values are seeds of random cuts. */
void feed_cut(struct feed *f, struct span bytes, unsigned how);

const char *feed_events(struct feed *f);

#endif

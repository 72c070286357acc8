/* zlib behind permessage-deflate: RFC 7692 §7.2. */
#include "proto/ws_deflate.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <zlib.h>

#include <gw/err.h>

#include "base/mem.h"
#include "proto/ws.h"

/* zlib's deflate has no window of 2^8: a raw stream of 2^9 looks back 2^9 - 262 = 250 bytes at
 * most, so that a peer with 2^8 can read it (ws_deflate_test.c proves it for the zlib at hand). */
enum { ZLIB_BITS_MIN = 9, WINDOW_MAX_BYTES = 1 << WS_WINDOW_BITS_MAX, LEVEL = 6 };

/* §7.2.1: what every flush ends with is left out on the wire. */
static const uint8_t tail[] = {0x00, 0x00, 0xff, 0xff};

struct ws_deflate_own {
    z_stream in;
    z_stream out;
    bool has_in;
    bool has_out;
    uint8_t tail_used; /* of the bytes above, behind the message that is being read */
    uint64_t taken;
};

struct ws_deflate {
    struct ws_deflate_conf conf;
    struct ws_deflate_own *shared[WS_WINDOW_BITS_MAX + 1]; /* by server_bits; NULL until used */
    struct ws_deflate_own *spare; /* for the next message, so that it allocates nothing */
};

static void *z_alloc(void *opaque, unsigned n, unsigned size)
{
    return mem_try_alloc((size_t)n * size);
}

static void z_free(void *opaque, void *at)
{
    mem_free(at);
}

static struct ws_deflate_own *own_new(void)
{
    struct ws_deflate_own *own = mem_try_alloc(sizeof(*own));
    if (!own)
        return NULL;
    *own = (struct ws_deflate_own){.in = {.zalloc = z_alloc, .zfree = z_free},
                                   .out = {.zalloc = z_alloc, .zfree = z_free}};
    return own;
}

void ws_deflate_own_free(struct ws_deflate_own *own)
{
    if (!own)
        return;
    if (own->has_in)
        inflateEnd(&own->in);
    if (own->has_out)
        deflateEnd(&own->out);
    mem_free(own);
}

struct ws_deflate *ws_deflate_new(const struct ws_deflate_conf *conf)
{
    struct ws_deflate *d = mem_zalloc(sizeof(*d));
    d->conf = *conf;
    return d;
}

void ws_deflate_free(struct ws_deflate *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < ARRAY_LEN(d->shared); i++)
        ws_deflate_own_free(d->shared[i]);
    ws_deflate_own_free(d->spare);
    mem_free(d);
}

const struct ws_deflate_conf *ws_deflate_conf_of(const struct ws_deflate *d)
{
    return &d->conf;
}

static int window_bits(unsigned agreed)
{
    return agreed < ZLIB_BITS_MIN ? ZLIB_BITS_MIN : (int)agreed;
}

/* ---- out ---- */

/* The stream that serves these terms, ready for the next message; NULL without memory. */
static z_stream *deflater(struct ws_deflate *d, struct ws_deflate_own **own,
                          struct ws_deflate_terms terms)
{
    struct ws_deflate_own **at = terms.keeps_ours ? own : &d->shared[terms.server_bits];
    if (!*at)
        *at = own_new();
    if (!*at)
        return NULL;
    z_stream *z = &(*at)->out;
    if (!(*at)->has_out && deflateInit2(z, LEVEL, Z_DEFLATED, -window_bits(terms.server_bits),
                                        d->conf.mem_level, Z_DEFAULT_STRATEGY) != Z_OK)
        return NULL;
    (*at)->has_out = true;
    return z;
}

size_t ws_deflate_frame(struct ws_deflate *d, struct ws_deflate_own **own,
                        struct ws_deflate_terms terms, uint8_t *to, struct span payload,
                        bool is_binary)
{
    if (payload.len < d->conf.min_bytes || payload.len == 0 || payload.len > INT_MAX)
        return 0;
    z_stream *z = deflater(d, own, terms);
    if (!z)
        return 0;
    uint8_t *body = to + WS_SERVER_HEAD_MAX;     /* the head's length is known afterwards */
    z->next_in = (Bytef *)(uintptr_t)payload.at; /* zlib's type; it does not write there */
    z->avail_in = (uInt)payload.len;
    z->next_out = body;
    z->avail_out = (uInt)payload.len;
    int rc = deflate(z, Z_SYNC_FLUSH);
    size_t len = payload.len - z->avail_out;
    bool is_smaller = rc == Z_OK && z->avail_in == 0 && z->avail_out > 0 && len > sizeof(tail);
    /* Behind a message that goes out plain, nothing may look back to it: §7.2.1. */
    if (!is_smaller || !terms.keeps_ours)
        deflateReset(z);
    if (!is_smaller)
        return 0;
    len -= sizeof(tail);
    size_t head_len = ws_put_head(to, is_binary ? WS_BINARY : WS_TEXT, len);
    to[0] |= WS_RSV1;
    memmove(to + head_len, body, len);
    return head_len + len;
}

/* ---- in ---- */

int ws_inflate_begin(struct ws_deflate *d, struct ws_deflate_own **own,
                     struct ws_deflate_terms terms)
{
    if (!*own && d->spare) {
        *own = d->spare;
        d->spare = NULL;
    }
    if (!*own)
        *own = own_new();
    struct ws_deflate_own *o = *own;
    if (!o)
        return -ENOMEM;
    int bits = -window_bits(terms.client_bits);
    int rc = Z_OK;
    if (!o->has_in)
        rc = inflateInit2(&o->in, bits);
    else if (!terms.keeps_theirs)
        rc = inflateReset2(&o->in, bits);
    if (rc != Z_OK)
        return -ENOMEM;
    o->has_in = true;
    o->tail_used = 0;
    o->taken = 0;
    return 0;
}

/* §7.2.3.4: a block may be marked as the last one of the stream, and others follow all the same.
 * They may look back beyond it. */
static int go_on_behind_last_block(z_stream *z)
{
    uInt len = WINDOW_MAX_BYTES;
    uint8_t *window = mem_try_alloc(len);
    if (!window)
        return -ENOMEM;
    bool is_good = inflateGetDictionary(z, window, &len) == Z_OK && inflateReset(z) == Z_OK &&
                   (len == 0 || inflateSetDictionary(z, window, len) == Z_OK);
    mem_free(window);
    return is_good ? 0 : -ENOMEM;
}

/* One call of zlib on the front of *from. */
static int step(struct ws_deflate_own *own, struct span *from)
{
    z_stream *z = &own->in;
    uInt len = from->len > INT_MAX ? INT_MAX : (uInt)from->len;
    z->next_in = (Bytef *)(uintptr_t)from->at;
    z->avail_in = len;
    int rc = inflate(z, Z_SYNC_FLUSH);
    *from = span_skip(*from, len - z->avail_in);
    switch (rc) {
    case Z_OK:
    case Z_BUF_ERROR: /* nothing to do with what there is */
        return 0;
    case Z_STREAM_END:
        return go_on_behind_last_block(z);
    case Z_MEM_ERROR:
        return -ENOMEM;
    default:
        return GW_EPROTO;
    }
}

/* zlib.h: bit 7 of data_type is set between blocks, the lower ones count bits not used. */
static bool is_between_blocks(const z_stream *z)
{
    return (z->data_type & 128) && (z->data_type & 63) == 0;
}

int ws_inflate(struct ws_deflate_own *own, struct span *in, bool is_end, uint8_t *to, size_t *len)
{
    z_stream *z = &own->in;
    size_t room = *len > INT_MAX ? INT_MAX : *len;
    z->next_out = to;
    z->avail_out = (uInt)room;
    size_t before = in->len;
    struct span none = {0};
    int rc = before == 0 ? step(own, &none) : 0; /* what found no room the last time */
    while (rc == 0 && in->len > 0 && z->avail_out > 0)
        rc = step(own, in);
    own->taken += before - in->len;
    struct span rest = span_skip(span_of(tail, sizeof(tail)), own->tail_used);
    while (rc == 0 && is_end && in->len == 0 && rest.len > 0 && z->avail_out > 0)
        rc = step(own, &rest);
    own->tail_used = (uint8_t)(sizeof(tail) - rest.len);
    *len = room - z->avail_out;
    if (rc < 0)
        return rc;
    if (z->avail_out == 0)
        return 1;
    return !is_end || is_between_blocks(z) ? 0 : GW_EPROTO;
}

uint64_t ws_inflate_taken(const struct ws_deflate_own *own)
{
    return own->taken;
}

void ws_inflate_end(struct ws_deflate *d, struct ws_deflate_own **own,
                    struct ws_deflate_terms terms)
{
    if (!*own || terms.keeps_theirs)
        return;
    if (terms.keeps_ours) {
        inflateEnd(&(*own)->in);
        (*own)->has_in = false;
        return;
    }
    if (d->spare)
        ws_deflate_own_free(*own);
    else
        d->spare = *own;
    *own = NULL;
}

/* What a WebSocket frame costs: masking, decoding, encoding, UTF-8. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "bench/micro/micro.h"
#include "proto/codec.h"
#include "proto/ws.h"

enum { PAYLOAD_MAX = 65536, FRAME_MAX = PAYLOAD_MAX + 16 };

struct sample {
    struct span text;
    uint8_t payload[PAYLOAD_MAX];
    uint8_t frame[FRAME_MAX]; /* as a client sends it */
    uint8_t scratch[FRAME_MAX];
    size_t frame_len;
    void *state;
};

static const char handshake[] = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                                "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
static const struct codec_conf limits = {.message_max_bytes = 1 << 20, .head_max_bytes = 16384};

static void open_state(struct sample *s)
{
    char head[sizeof handshake];
    struct codec_event ev;
    struct buf reply = {0};
    memcpy(head, handshake, sizeof handshake);
    s->state = calloc(1, ws_codec.state_bytes);
    if (ws_codec.init)
        ws_codec.init(s->state);
    ssize_t n =
        ws_codec.decode(s->state, &limits, (uint8_t *)head, sizeof handshake - 1, &ev, &reply);
    if (n <= 0 || ev.kind != CODEC_OPEN) {
        fprintf(stderr, "frame: no handshake\n");
        exit(1);
    }
    n = ws_codec.decode(s->state, &limits, (uint8_t *)head, 0, &ev, &reply);
    buf_fini(&reply);
}

static void fill(struct sample *s, size_t len, const char *pattern)
{
    size_t pattern_len = strlen(pattern);
    for (size_t i = 0; i < len; i++)
        s->payload[i] = (uint8_t)pattern[i % pattern_len];
    s->text = span_of(s->payload, len - len % pattern_len);
    uint8_t key[4] = {0x12, 0x34, 0x56, 0x78};
    size_t head = ws_codec.encode(s->frame, s->text, false) - s->text.len;
    s->frame[1] |= 0x80;
    memcpy(s->frame + head, key, sizeof key);
    memcpy(s->frame + head + 4, s->payload, s->text.len);
    s->frame_len = head + 4 + s->text.len;
    ws_mask(s->frame + head + 4, s->text.len, key);
}

static void mask(void *arg, size_t n)
{
    struct sample *s = arg;
    uint8_t key[4] = {1, 2, 3, 4};
    for (size_t i = 0; i < n; i++)
        ws_mask(s->scratch, s->text.len, key);
    micro_keep(s->scratch[0]);
}

static void encode(void *arg, size_t n)
{
    struct sample *s = arg;
    for (size_t i = 0; i < n; i++)
        micro_keep(ws_codec.encode(s->scratch, s->text, false));
}

/* The frame is unmasked in place, so each time it is copied first: as the kernel would. */
static void decode(void *arg, size_t n)
{
    struct sample *s = arg;
    struct codec_event ev;
    struct buf reply = {0};
    for (size_t i = 0; i < n; i++) {
        memcpy(s->scratch, s->frame, s->frame_len);
        ssize_t used = ws_codec.decode(s->state, &limits, s->scratch, s->frame_len, &ev, &reply);
        ssize_t rest = ws_codec.decode(s->state, &limits, s->scratch, 0, &ev, &reply);
        if (used != (ssize_t)s->frame_len || rest != 0)
            abort();
    }
    buf_fini(&reply);
}

static void copy(void *arg, size_t n)
{
    struct sample *s = arg;
    for (size_t i = 0; i < n; i++) {
        memcpy(s->scratch, s->frame, s->frame_len);
        micro_keep(s->scratch[0]);
    }
}

static void validate(void *arg, size_t n)
{
    struct sample *s = arg;
    for (size_t i = 0; i < n; i++)
        micro_keep(utf8_is_valid(s->text));
}

int main(void)
{
    static const size_t lengths[] = {32, 128, 1024, PAYLOAD_MAX};
    static struct sample s;
    char name[64];
    open_state(&s);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        size_t len = lengths[i];
        fill(&s, len, "The quick brown fox. ");
        snprintf(name, sizeof name, "mask, %zu bytes", len);
        micro_time(name, len, mask, &s);
        snprintf(name, sizeof name, "UTF-8, %zu bytes of ASCII", len);
        micro_time(name, len, validate, &s);
        snprintf(name, sizeof name, "frame encode, %zu bytes", len);
        micro_time(name, len, encode, &s);
        snprintf(name, sizeof name, "frame copy + decode, %zu bytes", len);
        micro_time(name, len, decode, &s);
        snprintf(name, sizeof name, "  of that the copy, %zu bytes", len);
        micro_time(name, len, copy, &s);
        fill(&s, len, "\xe4\xbd\xa0\xe5\xa5\xbd\xef\xbc\x8c"); /* three characters of three bytes */
        snprintf(name, sizeof name, "UTF-8, %zu bytes of Chinese", len);
        micro_time(name, len, validate, &s);
    }
    if (ws_codec.fini)
        ws_codec.fini(s.state);
    free(s.state);
}

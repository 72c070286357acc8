/* What differs between the servers under test: how to join a room, how to publish, what comes back.
 */
#ifndef BENCH_ADAPTER_H
#define BENCH_ADAPTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/outbuf.h"

enum purpose {
    FOR_IDLE,  /* connect and stay */
    FOR_FULL,  /* the same with a uid, one group and a session */
    FOR_ECHO,  /* what is sent comes back to the sender alone */
    FOR_ROOM,  /* what is sent comes back to everybody in the sender's room */
    FOR_LOGIN, /* connect now, log in to the chat when told */
};

/* Who a client is. */
struct seat {
    enum purpose purpose;
    unsigned room;
    unsigned member; /* counted over all rooms */
    unsigned payload_len;
    bool is_welcome; /* has_greeting: the server's greeting came */
};

/* A message on its way to the server is head + payload + tail. */
struct envelope {
    char head[224];
    size_t head_len;
    char tail[32];
    size_t tail_len;
};

struct adapter {
    const char *name;
    const char *protocol; /* Sec-WebSocket-Protocol, or NULL */
    bool is_binary;
    bool has_greeting; /* nothing may be published before on_other() saw it */
    /* The request's path. */
    void (*path)(const struct seat *s, char *to, size_t bytes);
    /* Appends the frames to send once the handshake is done. */
    void (*join)(const struct seat *s, struct outbuf *out);
    void (*envelope)(const struct seat *s, struct envelope *out);
    /* Looks at a message that carries no stamp; may append an answer. NULL: nothing to answer. */
    void (*on_other)(struct seat *s, const uint8_t *at, size_t len, struct outbuf *out);
    /* For protocols that use WebSocket as a byte stream: takes one unit off the front, sets the
     * payload (length 0 when it has none), returns its length or 0 when it is not complete. NULL:
     * each frame is a message. */
    size_t (*take)(const uint8_t *at, size_t len, const uint8_t **payload, size_t *payload_len);
};

/* NULL when unknown. */
const struct adapter *adapter_find(const char *name);
/* "floor, thin, …" */
void adapter_list(char *to, size_t bytes);
/* Appends the chat's login message for this seat. */
void adapter_put_login(const struct seat *s, struct outbuf *out);

#endif

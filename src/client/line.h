/* A non-blocking socket of an outside program: one request out, one answer in, moved on by poll().
 */
#ifndef CLIENT_LINE_H
#define CLIENT_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "net/addr.h"
#include "net/transport.h"

enum line_answer {
    LINE_NO_ANSWER, /* done when everything is written */
    LINE_REPLY,     /* u32be length, then that many bytes (vectors/README.md) */
    LINE_HELLO,     /* a reply, and CMD_HELLO before it when the gateway is ours */
    LINE_TEXT,      /* up to \n */
};

struct peer_tls;

struct line {
    struct addr to;
    char *host;                 /* whose certificate is asked for: a name or an address */
    const struct peer_tls *tls; /* NULL: plain */
    int fd;                     /* -1: not connected */
    const struct transport *transport;
    void *transport_state;
    unsigned wants; /* LOOP_…, what the transport waits for; 0: what the line itself does */
    bool is_connecting;
    bool is_shaking; /* connected, and the transport not ready yet */
    bool is_busy;    /* part of the call being made */
    bool is_offered; /* on this connection our extensions were offered, */
    bool is_ours;    /* and accepted: docs/wire.md, "client library" */
    enum line_answer answer;
    struct buf out;
    struct buf in;           /* when done: the answer without length or line end */
    int rc;                  /* of the last call: 0 or < 0 */
    uint64_t rests_until_ms; /* after a deadline was missed; on clock_mono_ms() */
};

/* host may be NULL: the address; tls too, or it outlives the line. */
struct line *line_new(const struct addr *to, const char *host,
                      const struct peer_tls *tls) NODISCARD;
void line_free(struct line *l);
void line_close(struct line *l); /* forgets what is under way; a later call connects again */

/* Closes a connection that the peer has closed meanwhile. Not while the line is busy. */
void line_refresh(struct line *l);
/* Makes the line part of a call: what is appended to l->out then is sent by lines_run(). A line
 * that is not connected starts to; when that fails at once it is not busy, and rc tells why. On a
 * busy line the new kind of answer replaces the old. */
void line_begin(struct line *l, enum line_answer answer);
/* Runs all busy lines side by side until each is done or the deadline (clock_mono_ms()) is over;
 * late ones fail with GW_ETIMEOUT. A line that fails is closed and disturbs no other. */
void lines_run(struct line *const *lines, size_t n, uint64_t deadline_ms);

#endif

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

enum line_answer {
    LINE_NO_ANSWER, /* done when everything is written */
    LINE_REPLY,     /* u32be length, then that many bytes (vectors/README.md) */
    LINE_TEXT,      /* up to \n */
};

struct line {
    struct addr to;
    int fd; /* -1: not connected */
    bool is_connecting;
    bool is_busy; /* part of the call being made */
    enum line_answer answer;
    struct buf out;
    struct buf in; /* when done: the answer without length or line end */
    int rc;        /* of the last call: 0 or < 0 */
};

struct line *line_new(const struct addr *to) NODISCARD;
void line_free(struct line *l);
void line_close(struct line *l); /* forgets what is under way; a later call connects again */

/* Makes the line part of a call: what is appended to l->out then is sent by lines_run(). A
 * connection that the peer has closed meanwhile is opened anew. */
void line_begin(struct line *l, enum line_answer answer);
/* Runs all busy lines side by side until each is done or the deadline (clock_mono_ms()) is over;
 * late ones fail with GW_ETIMEOUT. A line that fails is closed and disturbs no other. */
void lines_run(struct line *const *lines, size_t n, uint64_t deadline_ms);

#endif

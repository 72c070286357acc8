/* Files among a connection's output: from the page cache to the socket without a copy of ours. */
#include <errno.h>
#include <unistd.h>

#include <gw/err.h>

#include "base/mem.h"
#include "net/conn_internal.h"

/* Fairness: one reader on a fast line must not hold the turn. */
enum { FILE_TURN_BYTES = 512 * 1024 };

/* The part of a file that is still to be sent. */
struct conn_file {
    int fd;
    uint64_t off;
    uint64_t left_bytes;
};

static struct conn_file *file_of(const struct conn *c)
{
    return c->out ? c->out->file : NULL;
}

int conn_send_file(struct conn *c, int fd, uint64_t off, uint64_t len)
{
    int rc = c->flags & (CONN_CLOSING | CONN_DEAD) ? GW_ECLOSED : file_of(c) ? GW_EFULL : 0;
    if (rc < 0 || len == 0) {
        close(fd);
        return rc;
    }
    struct conn_file *f = mem_alloc(sizeof *f);
    *f = (struct conn_file){.fd = fd, .off = off, .left_bytes = len};
    conn_out_of(c)->file = f;
    conn_mark_dirty(c);
    return 0;
}

uint64_t conn_file_left(const struct conn *c)
{
    const struct conn_file *f = file_of(c);
    return f ? f->left_bytes : 0;
}

void conn_file_drop(struct conn *c)
{
    struct conn_file *f = file_of(c);
    if (!f)
        return;
    c->out->file = NULL;
    close(f->fd);
    mem_free(f);
}

int conn_file_write(struct conn *c, unsigned *wants)
{
    struct conn_file *f = file_of(c);
    uint64_t turn_bytes = 0;
    while (f->left_bytes > 0) {
        if (turn_bytes >= FILE_TURN_BYTES) {
            *wants = LOOP_WRITE;
            return -EAGAIN;
        }
        size_t len = f->left_bytes < FILE_TURN_BYTES ? (size_t)f->left_bytes : FILE_TURN_BYTES;
        ssize_t n = c->kind->transport->send_file(c->transport_state, c->watch.fd, f->fd, f->off,
                                                  len, wants);
        if (n < 0)
            return (int)n;
        if (n == 0)
            return -EIO; /* the file got shorter: what was promised cannot be kept */
        f->off += (uint64_t)n;
        f->left_bytes -= (uint64_t)n;
        c->written_bytes += (uint64_t)n;
        pool_of(c)->counts.written_bytes += (uint64_t)n;
        turn_bytes += (uint64_t)n;
    }
    conn_file_drop(c);
    return 0;
}

/* What carries a connection's bytes: plain TCP now, TLS behind the same table. */
#ifndef NET_TRANSPORT_H
#define NET_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

/* `state` is the transport's own, NULL for plain. Calls never block: -EAGAIN with *wants set to
 * the LOOP_… readiness that makes a retry useful. read and writev do as much as they can: when they
 * return less than was asked for, the next call would answer -EAGAIN or the end, and *wants is set.
 */
struct transport {
    const char *name; /* "tcp", "tls" */
    /* It may hold input that the kernel no longer shows as readable. */
    bool has_own_input;
    /* Of output that it did not take it may hold the first bytes, up to so many: they must be
     * offered again. */
    uint32_t held_max_bytes;
    /* 0 when ready for bytes, -EAGAIN while shaking hands, else < 0. */
    int (*handshake)(void *state, int fd, unsigned *wants);
    ssize_t (*read)(void *state, int fd, uint8_t *at, size_t len, unsigned *wants); /* 0: end */
    ssize_t (*writev)(void *state, int fd, const struct iovec *iov, int iov_n, unsigned *wants);
    /* Sends up to len bytes of a file from off on; 0 when the file ends before. */
    ssize_t (*send_file)(void *state, int fd, int file_fd, uint64_t off, size_t len,
                         unsigned *wants);
    void (*shutdown)(void *state, int fd); /* says goodbye once all output is out */
    void (*free)(void *state);
};

extern const struct transport plain_transport; /* net/plain.c */

#endif

/* One connection of the load generator: TCP or TLS, nonblocking after the dial. */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <openssl/ssl.h>

#include "bench/adapter.h"
#include "bench/outbuf.h"
#include "bench/records.h"

enum client_state { CLIENT_SHAKING, CLIENT_OPEN, CLIENT_GONE };

/* What one read left over: the beginning of a frame, or of a unit of the protocol above it. */
struct rest {
    uint8_t *at;
    size_t len;
    size_t capacity;
};

struct client {
    int fd;
    enum client_state state;
    bool is_armed; /* EPOLLOUT */
    bool is_deaf;  /* a slow consumer: nothing is read any more */
    uint32_t probe_seen;
    struct rest frame_rest;
    struct rest unit_rest;
    uint32_t *expected; /* per publisher of its room: the number that comes next */
    bool is_follower;   /* it takes TLS records as they come and decrypts none */
    struct records records;
    uint64_t followed_bytes; /* that its records carried */
    uint64_t received_n;     /* of a follower: whole messages among them */
    struct outbuf out;
    struct envelope *envelope; /* made when it first publishes */
    struct seat seat;
    SSL *tls;
};

/* Connects, waiting; from 127.0.0.<source> so that many connections to one port find local ports.
 * tls may be NULL. 0 or -errno. */
int client_dial(struct client *c, uint16_t port, unsigned source, SSL_CTX *tls);
/* Begins to connect, without TLS, and does not wait: the socket is writable once it is connected.
 * 0 or -errno. */
int client_begin(struct client *c, uint16_t port, unsigned source);
/* Bytes read, 0 when there is nothing now, -1 when the connection is over. Of a follower they are
 * encrypted. */
ssize_t client_read(struct client *c, uint8_t *to, size_t bytes);
/* From now on it follows the records: 0, or -1 when part of one was read already, or it speaks no
 * TLS 1.3. */
int client_follow(struct client *c);
/* Sends what waits as far as possible: 0, or -1 when the connection is over. */
int client_send(struct client *c);
void client_close(struct client *c);
/* Without the lingering end that TCP gives to a close, which keeps the local port for a minute. The
 * server sees a reset, as from a client that crashed. */
void client_close_hard(struct client *c);
/* Keeps bytes until the next read. */
void rest_keep(struct rest *r, const uint8_t *at, size_t len);

#endif

/* All connections of the load generator and the loop that serves them. */
#ifndef BENCH_FLEET_H
#define BENCH_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/adapter.h"
#include "bench/client.h"
#include "bench/stamp.h"

struct fleet_conf {
    const struct adapter *adapter;
    enum purpose purpose;
    uint16_t port;
    unsigned rooms_n;
    unsigned members_n;    /* per room */
    unsigned publishers_n; /* per room */
    unsigned payload_len;
    unsigned source; /* first local address: 127.0.0.<source> */
    bool has_tls;
    unsigned decrypt_every; /* over TLS, one member in so many decrypts once fleet_follow() ran */
    bool has_deflate;
};

struct fleet {
    struct fleet_conf conf;
    struct client *clients; /* room after room */
    size_t clients_n;
    size_t open_n;
    size_t gone_n; /* that the server closed */
    int epoll_fd;
    uint64_t start_ns;
    uint32_t now_us; /* since the start; as of the last read */
    /* While it measures, the generator never sleeps: a real client does not sleep on the server's
     * machine, so the server must not be charged for waking it. */
    bool is_spinning;
    uint64_t idle_us;      /* spent in turns in which nothing came */
    uint32_t tick_us;      /* when on_tick is due; UINT32_MAX for never */
    size_t stamp_pos;      /* where the last message had its stamp */
    size_t message_len;    /* of the last message with a stamp */
    uint64_t others_n;     /* messages without one */
    uint64_t compressed_n; /* messages that came compressed */
    uint64_t broken_n;     /* payloads that are not what was sent */
    uint64_t published_n;  /* messages sent, those of fleet_settle() included */
    void *owner;
    /* A counted message came. */
    void (*on_stamp)(struct fleet *f, struct client *c, const struct stamp *s);
    /* Records with so many bytes of content came to a client that does not decrypt them. */
    void (*on_followed)(struct fleet *f, struct client *c, size_t bytes);
    /* A message without a stamp came; may be NULL. */
    void (*on_other)(struct fleet *f, struct client *c, const uint8_t *at, size_t len);
    /* Called between reads, once tick_us has come; may be NULL. */
    void (*on_tick)(struct fleet *f);
};

/* Zero-initialise, then this: nothing is connected yet. */
void fleet_init(struct fleet *f, const struct fleet_conf *conf);
/* Connects everybody, until all handshakes are done: 0, or -1 with a message. */
int fleet_open(struct fleet *f);
/* Begins to connect a client that is not: nothing is waited for, fleet_turn() goes on with it. 0 or
 * -errno. */
int fleet_begin(struct fleet *f, struct client *c);
/* Waits until everybody gets what its room's first member (for echo: itself) publishes: 0 or -1. */
int fleet_settle(struct fleet *f);
/* Then, where conf says so: members other than publishers follow their records from here on, which
 * goes to on_followed. 0, or -1 with a message. */
int fleet_follow(struct fleet *f);
void fleet_close(struct fleet *f);

uint32_t fleet_now_us(struct fleet *f);
/* Handles what is ready; waits for at most so long, or not at all while spinning. */
void fleet_turn(struct fleet *f, uint32_t wait_us);
/* Turns until the time has come. */
void fleet_run_until(struct fleet *f, uint32_t until_us);

/* What a message with a stamp takes on its way here, once one came. */
size_t fleet_frame_bytes(const struct fleet *f);

/* Queues a message. */
void fleet_publish(struct fleet *f, struct client *c, const struct stamp *s);
/* Sends what is queued. */
void fleet_flush(struct fleet *f, struct client *c);
/* From now on nothing of this client is read. */
void fleet_deafen(struct fleet *f, struct client *c);

/* The client that publishes as this sender. */
struct client *fleet_publisher(struct fleet *f, unsigned sender);

#endif

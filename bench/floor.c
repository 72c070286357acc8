/* The floor: the least a WebSocket server can do, so that others can be measured against the
 * kernel.
 *
 *     floor [--port N] [--echo] [--single] [--hop]
 *
 * One process, epoll, no rooms: a message goes back to its sender (--echo) or to everybody. A turn
 * reads everything readable first; then all messages of a socket leave in one send, or, with
 * --single, each in its own as soon as it is there. With --hop every message first travels to a
 * second process and back. Prints "ready PORT". It trusts its clients: never face it to a network.
 */
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/hop.h"
#include "bench/outbuf.h"
#include "bench/ws_server.h"

enum {
    FDS_MAX = 1 << 16,
    EVENTS_MAX = 8192,
    IN_BYTES = 1 << 18,
    PENDING_MAX = 1 << 26, /* a client that reads nothing is dropped beyond */
    OP_TEXT = 1,
    OP_CLOSE = 8,
};

/* What a client needs once it was slow or spoke in pieces. An idle client has none. */
struct extra {
    struct outbuf out;
    struct outbuf in; /* the beginning of a frame or of the handshake */
    bool is_dirty;    /* in `dirty` */
    bool is_armed;    /* EPOLLOUT */
};

struct peer {
    struct extra *extra;
    uint32_t pos; /* in `members`, from 1; 0: no handshake yet */
};

static struct peer peers[FDS_MAX]; /* by descriptor; pages come into being when used */
static int members[FDS_MAX];
static size_t members_n;
static int dirty[FDS_MAX];
static size_t dirty_n;
static struct outbuf turn; /* frames for everybody, of this turn */
static struct outbuf to_hop;
static uint8_t in[IN_BYTES];
static int epoll_fd, listen_fd, hop_fd = -1;
static bool is_echo, is_single;

static void watch(int fd, uint32_t events, int op)
{
    struct epoll_event ev = {.events = events, .data.fd = fd};
    if (epoll_ctl(epoll_fd, op, fd, &ev) < 0) {
        perror("epoll_ctl");
        exit(1);
    }
}

static struct extra *extra_of(int fd)
{
    struct peer *p = &peers[fd];
    if (!p->extra)
        p->extra = calloc(1, sizeof *p->extra);
    if (!p->extra)
        abort();
    return p->extra;
}

static void drop(int fd)
{
    struct peer *p = &peers[fd];
    if (p->pos > 0) {
        int last = members[--members_n];
        members[p->pos - 1] = last;
        peers[last].pos = p->pos;
    }
    for (size_t i = 0; p->extra && p->extra->is_dirty && i < dirty_n; i++)
        if (dirty[i] == fd)
            dirty[i] = dirty[--dirty_n];
    if (p->extra) {
        outbuf_free(&p->extra->out);
        outbuf_free(&p->extra->in);
        free(p->extra);
    }
    *p = (struct peer){0};
    close(fd);
}

/* Sends what waits; asks for EPOLLOUT as long as something is left. */
static void flush_peer(int fd)
{
    struct extra *x = extra_of(fd);
    if (outbuf_send(&x->out, fd) < 0 || outbuf_pending(&x->out) > PENDING_MAX) {
        drop(fd);
        return;
    }
    bool wants = outbuf_pending(&x->out) > 0;
    if (wants != x->is_armed) {
        watch(fd, wants ? EPOLLIN | EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
        x->is_armed = wants;
    }
}

/* Sends the bytes now; what the socket does not take waits. False when the peer is gone. */
static bool send_now(int fd, const uint8_t *at, size_t len)
{
    struct extra *x = peers[fd].extra;
    ssize_t n = 0;
    if (!x || outbuf_pending(&x->out) == 0)
        n = send(fd, at, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n == (ssize_t)len)
        return true;
    if (n < 0 && errno != EAGAIN) {
        drop(fd);
        return false;
    }
    size_t sent = n < 0 ? 0 : (size_t)n;
    outbuf_put(&extra_of(fd)->out, at + sent, len - sent);
    if (!peers[fd].extra->is_armed || outbuf_pending(&peers[fd].extra->out) > PENDING_MAX)
        flush_peer(fd);
    return peers[fd].pos > 0;
}

static void send_to_everybody(const uint8_t *at, size_t len)
{
    for (size_t i = 0; i < members_n;) /* a member that is dropped makes room for the last one */
        i += send_now(members[i], at, len);
}

static void put_frame(struct outbuf *out, const uint8_t *payload, size_t len)
{
    uint8_t *to = outbuf_reserve(out, WS_SERVER_HEAD_MAX + len);
    size_t head = ws_server_head(to, OP_TEXT, len);
    memcpy(to + head, payload, len);
    out->len += head + len;
}

/* A message that has arrived at its end: to its sender or to everybody. */
static void deliver(int fd, const uint8_t *payload, size_t len)
{
    if (!is_echo) {
        put_frame(&turn, payload, len);
        if (is_single) {
            send_to_everybody(turn.at, turn.len);
            turn.len = 0;
        }
        return;
    }
    if (peers[fd].pos == 0) /* it left while its message was on the hop */
        return;
    struct extra *x = extra_of(fd);
    put_frame(&x->out, payload, len);
    if (is_single) {
        flush_peer(fd);
    } else if (!x->is_dirty) {
        x->is_dirty = true;
        dirty[dirty_n++] = fd;
    }
}

static void on_message(int fd, const uint8_t *payload, size_t len)
{
    if (hop_fd < 0) {
        deliver(fd, payload, len);
        return;
    }
    hop_put(&to_hop, (uint32_t)fd, payload, len);
    if (is_single && outbuf_send(&to_hop, hop_fd) < 0)
        exit(1);
}

/* Takes the handshake off the front: bytes used, 0 need more, -1 the peer was dropped. */
static ssize_t shake(int fd, uint8_t *at, size_t len)
{
    char answer[WS_SERVER_ANSWER_MAX];
    size_t answer_len = 0;
    ssize_t used = ws_server_answer((char *)at, len, answer, &answer_len);
    if (used > 0) {
        members[members_n++] = fd;
        peers[fd].pos = (uint32_t)members_n;
        return send_now(fd, (uint8_t *)answer, answer_len) ? used : -1;
    }
    if (used < 0)
        drop(fd);
    return used;
}

/* The frames at the front: bytes used, -1 the peer was dropped. */
static ssize_t take_frames(int fd, uint8_t *at, size_t len)
{
    size_t used = 0;
    struct ws_server_frame f;
    for (;;) {
        ssize_t n = ws_server_decode(at + used, len - used, &f);
        if (n == 0)
            return (ssize_t)used;
        if (n < 0 || f.opcode == OP_CLOSE) {
            drop(fd);
            return -1;
        }
        used += (size_t)n;
        if (f.opcode == OP_TEXT)
            on_message(fd, f.payload, f.len);
        if (is_single && !peers[fd].pos)
            return -1;
    }
}

static void on_readable(int fd)
{
    struct extra *x = peers[fd].extra;
    size_t have = x ? outbuf_pending(&x->in) : 0;
    if (have > 0) {
        memcpy(in, x->in.at + x->in.sent, have);
        x->in.len = x->in.sent = 0;
    }
    ssize_t n = recv(fd, in + have, sizeof in - have, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        n = 0;
    else if (n <= 0) {
        drop(fd);
        return;
    }
    size_t len = have + (size_t)n;
    ssize_t used = 0;
    if (peers[fd].pos == 0)
        used = shake(fd, in, len);
    if (used >= 0 && peers[fd].pos > 0) {
        ssize_t more = take_frames(fd, in + used, len - (size_t)used);
        used = more < 0 ? -1 : used + more;
    }
    if (used >= 0 && (size_t)used < len)
        outbuf_put(&extra_of(fd)->in, in + used, len - (size_t)used);
}

static void on_hop(void)
{
    static uint8_t back[1 << 20];
    static size_t have;
    ssize_t n = recv(hop_fd, back + have, sizeof back - have, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN))
        exit(1);
    have += n > 0 ? (size_t)n : 0;
    size_t at = 0;
    struct hop_message m;
    for (size_t used; (used = hop_get(back + at, have - at, &m)) > 0; at += used)
        deliver((int)m.tag, m.payload, m.len);
    memmove(back, back + at, have - at);
    have -= at;
}

static void on_acceptable(void)
{
    for (;;) {
        int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        if (fd >= FDS_MAX) {
            close(fd);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        watch(fd, EPOLLIN, EPOLL_CTL_ADD);
    }
}

static void flush_turn(void)
{
    static bool is_hop_armed;
    if (hop_fd >= 0) {
        if (outbuf_send(&to_hop, hop_fd) < 0)
            exit(1);
        bool wants = outbuf_pending(&to_hop) > 0;
        if (wants != is_hop_armed)
            watch(hop_fd, wants ? EPOLLIN | EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
        is_hop_armed = wants;
    }
    if (turn.len > 0)
        send_to_everybody(turn.at, turn.len);
    turn.len = 0;
    for (size_t i = 0; i < dirty_n; i++) {
        peers[dirty[i]].extra->is_dirty = false;
        flush_peer(dirty[i]);
    }
    dirty_n = 0;
}

static void serve(void)
{
    static struct epoll_event ready[EVENTS_MAX];
    for (;;) {
        int n = epoll_wait(epoll_fd, ready, EVENTS_MAX, -1);
        for (int i = 0; i < n; i++) {
            int fd = ready[i].data.fd;
            if (fd == listen_fd) {
                on_acceptable();
            } else if (fd == hop_fd) {
                on_hop();
            } else {
                if (ready[i].events & EPOLLOUT)
                    flush_peer(fd);
                if (ready[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                    on_readable(fd);
            }
        }
        flush_turn();
    }
}

static int open_listener(uint16_t port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, 4096) < 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) < 0) {
        perror("listen");
        exit(1);
    }
    printf("ready %u\n", ntohs(at.sin_port));
    fflush(stdout);
    return fd;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"port", required_argument, NULL, 'p'},
                                            {"echo", no_argument, NULL, 'e'},
                                            {"single", no_argument, NULL, 's'},
                                            {"hop", no_argument, NULL, 'h'},
                                            {0}};
    unsigned long port = 0;
    bool has_hop = false;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == '?')
            return 2;
        port = c == 'p' ? strtoul(optarg, NULL, 10) : port;
        is_echo = is_echo || c == 'e';
        is_single = is_single || c == 's';
        has_hop = has_hop || c == 'h';
    }
    if (has_hop && (hop_fd = hop_start(!is_single)) < 0)
        return 1;
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    listen_fd = open_listener((uint16_t)port);
    watch(listen_fd, EPOLLIN, EPOLL_CTL_ADD);
    if (hop_fd >= 0)
        watch(hop_fd, EPOLLIN, EPOLL_CTL_ADD);
    serve();
}

/* The lobby's own part: who is in it, and the socket for what other processes relay. */
#include "sse/lobby.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "net/sock.h"
#include "sse/guest.h"
#include "sse/relay.h"

static void on_relayed(void *owner, int fd, const struct addr *peer)
{
    guest_new(owner, fd, peer, &plain_transport, NULL, true);
}

static int listen_for_relays(struct lobby *l)
{
    l->path = relay_path(l, (unsigned)l->conf.slot);
    l->listen_fd = sock_listen_unix(l->path, 0600);
    if (l->listen_fd < 0)
        return l->listen_fd;
    l->listener = listener_start(conn_pool_loop(l->conf.conns), l->listen_fd, on_relayed, l);
    return l->listener ? 0 : -ENOMEM;
}

int lobby_open(struct lobby *l, const struct lobby_conf *conf)
{
    *l = (struct lobby){
        .conf = *conf,
        .listen_fd = -1,
        .conn_conf = {.in_max_bytes =
                          conf->max_message_bytes + LOBBY_POST_ROOM_BYTES + conf->max_head_bytes,
                      .close_timeout_ms = 5000,
                      .handshake_timeout_ms = conf->request_timeout_ms},
    };
    l->sessions = map_new();
    addr_counts_init(&l->addresses);
    list_init(&l->guests);
    list_init(&l->relays);
    int rc = listen_for_relays(l);
    if (rc < 0)
        log_error("cannot listen on %s, where processes pass requests of fallback clients on: %s",
                  l->path, strerror(-rc));
    return rc;
}

void lobby_enter(struct lobby *l, int fd, const struct addr *peer,
                 const struct transport *transport, void *transport_state)
{
    guest_new(l, fd, peer, transport, transport_state, false);
}

void lobby_close(struct lobby *l)
{
    if (!l->sessions || l->is_closing)
        return;
    l->is_closing = true;
    if (l->listener)
        listener_stop(l->listener);
    l->listener = NULL;
    if (l->listen_fd >= 0) {
        close(l->listen_fd);
        (void)unlink(l->path);
    }
    l->listen_fd = -1;
    relay_close_all(l);
    for (struct list *n = l->guests.next; n != &l->guests; n = n->next) {
        struct guest *g = CONTAINER_OF(n, struct guest, node);
        if (!g->stream_of && !g->awaited)
            conn_close(g->conn);
    }
}

void lobby_fini(struct lobby *l)
{
    if (!l->sessions)
        return;
    lobby_close(l);
    map_free(l->sessions);
    l->sessions = NULL;
    addr_counts_fini(&l->addresses);
    mem_free(l->path);
    buf_fini(&l->text);
}

/* Lets connections in, and makes a handle with a channel or an HTTP line behind it. */
#include "service/entry.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "service/handle.h"
#include "service/http_line.h"
#include "service/self.h"

enum { IN_ONE_READ_BYTES = 256 * 1024 }; /* small messages that came together */

static bool is_full(const struct service *s)
{
    static struct log_rate rate;

    if (s->conf->max_connections == 0 || idmap_len(s->by_id) < (size_t)s->conf->max_connections)
        return false;
    log_limited(&rate, LOG_WARN, "a connection is refused: max_connections (%lld) is reached",
                (long long)s->conf->max_connections);
    return true;
}

static int attach(struct entry *e, struct gw_conn *h, int fd, const struct transport *transport,
                  void *transport_state)
{
    struct service *s = e->service;

    if (e->is_http)
        return http_line_open(h, fd, transport, transport_state);
    h->kind = &e->kind;
    h->chan = chan_new(s->env->conns, fd, &h->peer, transport, transport_state, &e->kind.chan, h);
    if (!h->chan)
        return -errno;
    h->conn = chan_conn(h->chan);
    return 0;
}

static void on_enter(void *owner, int fd, const struct addr *peer,
                     const struct transport *transport, void *transport_state)
{
    struct entry *e = owner;
    struct service *s = e->service;

    if (is_full(s)) {
        transport->free(transport_state);
        close(fd);
        return;
    }
    struct gw_conn *h = handle_new(s, peer, &s->events);
    int rc = attach(e, h, fd, transport, transport_state);
    if (rc < 0) {
        log_warn("a connection could not be taken: %s", strerror(-rc));
        handle_bury(h);
        return;
    }
    list_append(&s->accepted, &h->node);
    idmap_set(s->by_id, h->id, h);
    handle_raise(h, HANDLE_CONNECT);
}

void service_chan_conf(const struct service *s, struct chan_kind *out)
{
    const struct service_conf *c = s->conf;

    *out = (struct chan_kind){
        .codec_conf = {.message_max_bytes = c->max_message_bytes,
                       .head_max_bytes = c->max_head_bytes,
                       .fragments_max_n = (uint32_t)c->max_frames_per_message},
        .conn_conf = {.in_max_bytes = c->max_message_bytes + c->max_head_bytes + IN_ONE_READ_BYTES,
                      .out_max_bytes = c->send_buffer_size,
                      .close_timeout_ms = c->close_timeout_ms,
                      .handshake_timeout_ms = c->handshake_timeout_ms},
        .events = &handle_chan_events,
        .open_timeout_ms = c->handshake_timeout_ms,
    };
}

int entry_open(struct entry *e, struct service *s, int scheme, int fd, struct tls_context *tls)
{
    struct span name = span_str(service_schemes[scheme]);

    *e = (struct entry){.service = s, .is_http = scheme == SERVICE_HTTP};
    service_chan_conf(s, &e->kind.chan);
    e->kind.chan.codec = codec_find(name);
    if (s->module->codec && e->kind.chan.codec == &tcp_codec)
        own_codec_use(&e->kind, &e->own_codec, s->module->codec);
    e->door = (struct door){.on_enter = on_enter,
                            .owner = e,
                            .is_http = e->is_http || e->kind.chan.codec->has_handshake,
                            .has_proxy_header = s->conf->door.has_proxy_header,
                            .trusted = &s->trusted,
                            .timeout_ms = s->conf->handshake_timeout_ms};
    int rc = door_open(&e->door, s->env->loop, fd, tls);
    if (rc < 0)
        log_error("cannot accept: %s", strerror(-rc));
    return rc;
}

void entry_close(struct entry *e)
{
    door_close(&e->door);
}

/* WebSocket, the side that dials (RFC 6455): its request, its codec. */
#ifndef PROTO_WS_CLIENT_H
#define PROTO_WS_CLIENT_H

#include "base/buf.h"
#include "base/span.h"
#include "proto/codec.h"

/* Writes the request of the handshake: codec_conf.greeting. `target` begins with "/". */
void ws_put_request(struct buf *out, struct span host, struct span target);

/* Its messages are masked as they are encoded. CODEC_OPEN comes without a request. */
extern const struct codec ws_client_codec;

#endif

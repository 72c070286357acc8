/* The public name of a client: 20 hex digits of gateway address, port and connection id. */
#ifndef PROTO_CLIENT_ID_H
#define PROTO_CLIENT_ID_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/span.h"

enum { CLIENT_ID_LEN = 20 };

struct client_id {
    uint32_t ip; /* of the gateway's inner port, host order */
    uint16_t port;
    uint32_t connection_id;
};

void client_id_text(struct client_id id, char out[CLIENT_ID_LEN + 1]); /* lower case */
/* Upper case is accepted. 0 or GW_EBADID. vectors/small-functions.json */
int client_id_parse(struct span text, struct client_id *out) NODISCARD;

#endif

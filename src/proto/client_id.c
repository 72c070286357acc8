/* Client ids to text and back: three numbers in hex, without separators. */
#include "proto/client_id.h"

#include <gw/err.h>

#include "base/hex.h"

/* The port has four digits and is handled as eight: those in front are the end of the ip. */
enum { AT_PORT = 4, AT_CONNECTION = 12 };

void client_id_text(struct client_id id, char out[CLIENT_ID_LEN + 1])
{
    uint8_t *to = (uint8_t *)out;

    hex_put_u32(to + AT_PORT, id.port);
    hex_put_u32(to, id.ip);
    hex_put_u32(to + AT_CONNECTION, id.connection_id);
    out[CLIENT_ID_LEN] = '\0';
}

int client_id_parse(struct span text, struct client_id *out)
{
    uint32_t port;

    if (text.len != CLIENT_ID_LEN || !hex_get_u32(text.at, &out->ip) ||
        !hex_get_u32(text.at + AT_PORT, &port) ||
        !hex_get_u32(text.at + AT_CONNECTION, &out->connection_id))
        return GW_EBADID;
    out->port = (uint16_t)port;
    return 0;
}

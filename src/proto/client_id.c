/* Client ids to text and back: three numbers in hex, without separators. */
#include "proto/client_id.h"

#include <gw/err.h>

#include "base/bytes.h"
#include "base/hex.h"

enum { ID_BYTES = CLIENT_ID_LEN / 2, AT_PORT = 4, AT_CONNECTION = 6 };

void client_id_text(struct client_id id, char out[CLIENT_ID_LEN + 1])
{
    uint8_t raw[ID_BYTES];

    put_u32be(raw, id.ip);
    put_u16be(raw + AT_PORT, id.port);
    put_u32be(raw + AT_CONNECTION, id.connection_id);
    for (size_t i = 0; i < ID_BYTES; i++) {
        out[2 * i] = "0123456789abcdef"[raw[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[raw[i] & 15];
    }
    out[CLIENT_ID_LEN] = '\0';
}

int client_id_parse(struct span text, struct client_id *out)
{
    uint8_t raw[ID_BYTES];

    if (text.len != CLIENT_ID_LEN)
        return GW_EBADID;
    for (size_t i = 0; i < ID_BYTES; i++) {
        int high = hex_digit(text.at[2 * i]);
        int low = hex_digit(text.at[2 * i + 1]);
        if (high < 0 || low < 0)
            return GW_EBADID;
        raw[i] = (uint8_t)(high << 4 | low);
    }
    out->ip = get_u32be(raw);
    out->port = get_u16be(raw + AT_PORT);
    out->connection_id = get_u32be(raw + AT_CONNECTION);
    return 0;
}

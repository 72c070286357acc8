/* A service with framing of its own: netstrings, "5:hello,". Sends each message back, reversed. */
#include <stdio.h>

#include <gw/module.h>
#include <gw/service.h>

enum { MESSAGE_MAX = 64 * 1024, DIGITS_MAX = 5 };

/* Keeps nothing between calls: a netstring that is not whole is looked at again. */
static long decode(void *state, const char *at, size_t len, struct gw_bytes *message,
                   bool *is_message)
{
    size_t n = 0, pos = 0;

    while (pos < len && pos <= DIGITS_MAX && at[pos] >= '0' && at[pos] <= '9')
        n = n * 10 + (size_t)(at[pos++] - '0');
    if (pos > DIGITS_MAX || n > MESSAGE_MAX || (pos > 1 && at[0] == '0'))
        return GW_EPROTO;
    if (pos == len)
        return 0;
    if (pos == 0 || at[pos] != ':')
        return GW_EPROTO;
    if (len - pos - 1 < n + 1)
        return 0;
    if (at[pos + 1 + n] != ',')
        return GW_EPROTO;
    *message = gw_bytes(at + pos + 1, n);
    *is_message = true;
    return (long)(pos + n + 2);
}

static size_t encoded_max(size_t payload_len)
{
    return payload_len + 24;
}

static size_t encode(char *to, struct gw_bytes payload)
{
    size_t n = (size_t)sprintf(to, "%zu:", payload.len);

    memcpy(to + n, payload.data, payload.len);
    to[n + payload.len] = ',';
    return n + payload.len + 1;
}

static const struct gw_codec netstring = {
    .decode = decode, .encoded_max = encoded_max, .encode = encode};

static void on_message(struct gw *gw, struct gw_conn *conn, struct gw_bytes message)
{
    char reversed[MESSAGE_MAX];

    for (size_t i = 0; i < message.len; i++)
        reversed[i] = message.data[message.len - 1 - i];
    if (gw_conn_send(conn, gw_bytes(reversed, message.len)) == GW_EFULL)
        gw_conn_destroy(conn); /* it asks and does not read */
}

const struct gw_service_module gw_service_module = {
    .abi = GW_SERVICE_ABI,
    .name = "netstring",
    .codec = &netstring,
    .on_message = on_message,
};

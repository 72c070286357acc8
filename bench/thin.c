/* The thin module: the least business code with rooms, echo and a session, for the benchmark.
 *
 *     e<text>          sends the text back
 *     j<room>          joins
 *     p<room>|<text>   publishes
 *     u<name>          binds the uid, joins one group and sets a session value
 *     n                how many on_connect this worker has seen
 *
 * The peers in bench/peers speak the same. */
#include <stdio.h>

#include <gw/gateway.h>
#include <gw/module.h>
#include <gw/session.h>

static unsigned long connects_n;

static void on_connect(struct gw *gw, const struct gw_client *client)
{
    connects_n++;
}

static void publish(struct gw *gw, struct gw_bytes text)
{
    const char *bar = memchr(text.data, '|', text.len);
    if (!bar)
        return;
    size_t room_len = (size_t)(bar - text.data);
    gw_send_to_group(gw, gw_bytes(text.data, room_len), gw_bytes(bar + 1, text.len - room_len - 1));
}

static void dress(struct gw *gw, const struct gw_client *client, struct gw_bytes name)
{
    if (gw_bind_uid(gw, client->id, name) < 0 ||
        gw_join_group(gw, client->id, gw_str("lobby")) < 0 ||
        gw_session_set_bytes(client->session, "name", name) < 0)
        gw_log_error(gw, "client %s could not be dressed", client->id);
}

static void tell_connects(struct gw *gw, const struct gw_client *client)
{
    char text[32];
    snprintf(text, sizeof text, "connects=%lu", connects_n);
    gw_send_to_client(gw, client->id, gw_str(text));
}

static void on_message(struct gw *gw, const struct gw_client *client, struct gw_bytes message)
{
    if (message.len == 0)
        return;
    struct gw_bytes rest = gw_bytes(message.data + 1, message.len - 1);
    switch (message.data[0]) {
    case 'e':
        gw_send_to_client(gw, client->id, rest);
        break;
    case 'j':
        gw_join_group(gw, client->id, rest);
        break;
    case 'p':
        publish(gw, rest);
        break;
    case 'u':
        dress(gw, client, rest);
        break;
    case 'n':
        tell_connects(gw, client);
        break;
    default:
        break;
    }
}

const struct gw_module gw_module = {
    .abi = GW_MODULE_ABI,
    .name = "thin",
    .on_connect = on_connect,
    .on_message = on_message,
};

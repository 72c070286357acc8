/* The demo of the manual over telnet: everybody is told its id, and sees what the others say. */
#include <stdio.h>
#include <stdlib.h>

#include <gw/gateway.h>
#include <gw/module.h>

static void on_connect(struct gw *gw, const struct gw_client *client)
{
    char text[64];

    snprintf(text, sizeof text, "Hello %s\r", client->id);
    gw_send_to_client(gw, client->id, gw_str(text));
    snprintf(text, sizeof text, "%s login\r", client->id);
    gw_send_to_all(gw, gw_str(text), NULL);
}

/* telnet ends its lines by \r\n, of which the text protocol takes the \n. */
static void on_message(struct gw *gw, const struct gw_client *client, struct gw_bytes message)
{
    size_t room = message.len + 64;
    char *text = malloc(room);

    if (!text)
        return;
    if (message.len > 0 && message.data[message.len - 1] == '\r')
        message.len--;
    int len = snprintf(text, room, "%s said %.*s\r", client->id, (int)message.len, message.data);
    gw_send_to_all(gw, gw_bytes(text, (size_t)len), NULL);
    free(text);
}

static void on_close(struct gw *gw, const struct gw_client *client)
{
    char text[64];

    snprintf(text, sizeof text, "%s logout\r", client->id);
    gw_send_to_all(gw, gw_str(text), NULL);
}

const struct gw_module gw_module = {
    .abi = GW_MODULE_ABI,
    .name = "telnet",
    .on_connect = on_connect,
    .on_message = on_message,
    .on_close = on_close,
};

/* A test module: tells a client where the server believes it to be. */
#include <stdio.h>

#include <gw/gateway.h>
#include <gw/module.h>
#include <gw/session.h>

static void on_websocket_connect(struct gw *gw, const struct gw_client *client,
                                 const struct gw_request *request)
{
    gw_session_set_str(client->session, "remote", gw_request_server(request, "REMOTE_ADDR"));
}

/* "ip port REMOTE_ADDR". The session shows that nothing of the address got into it. */
static void on_message(struct gw *gw, const struct gw_client *client, struct gw_bytes message)
{
    char text[256];

    snprintf(text, sizeof(text), "%s %u %s", client->ip, (unsigned)client->port,
             gw_session_str(client->session, "remote", "none"));
    gw_send_to_client(gw, client->id, gw_str(text));
}

const struct gw_module gw_module = {
    .abi = GW_MODULE_ABI,
    .name = "where",
    .on_websocket_connect = on_websocket_connect,
    .on_message = on_message,
};

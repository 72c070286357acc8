/* The smallest module: sends each message back to its sender, text as text, binary as binary. */
#include <gw/gateway.h>
#include <gw/module.h>

static void on_message(struct gw *gw, const struct gw_client *client, struct gw_bytes message)
{
    struct gw_send how = {.is_binary = client->is_binary};

    int rc = gw_send_to_client_with(gw, client->id, message, &how);
    if (rc < 0)
        gw_log_error(gw, "no echo for %s: %s", client->id, gw_strerror(rc));
}

const struct gw_module gw_module = {
    .abi = GW_MODULE_ABI,
    .name = "echo",
    .on_message = on_message,
};

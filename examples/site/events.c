/* All that a gateway's worker does for a web site: it tells each page its client_id. The rest is
 * the site's: it binds, joins and sends from outside. */
#include <gw/gateway.h>
#include <gw/module.h>

static void on_connect(struct gw *gw, const struct gw_client *client)
{
    struct gw_json *init = gw_json_object();

    gw_json_set_str(init, "type", "init");
    gw_json_set_str(init, "client_id", client->id);
    char *text = gw_json_dump(init, GW_JSON_PLAIN, NULL);
    int rc = gw_send_to_client(gw, client->id, gw_str(text));
    if (rc < 0)
        gw_log_error(gw, "%s was not told its id: %s", client->id, gw_strerror(rc));
    gw_free(text);
    gw_json_free(init);
}

const struct gw_module gw_module = {
    .abi = GW_MODULE_ABI,
    .name = "site",
    .on_connect = on_connect,
};

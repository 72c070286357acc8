/* Tells a client what is known of it, echoes, and logs who comes and goes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gw/gateway.h>
#include <gw/module.h>

static void on_connect(struct gw *gw, const struct gw_client *client)
{
    gw_log(gw, "connect %s", client->id);
}

static void on_websocket_connect(struct gw *gw, const struct gw_client *client,
                                 const struct gw_request *request)
{
    const char *name = gw_request_get(request, "name");
    const char *cookie = gw_request_cookie(request, "c");
    const char *agent = gw_request_header(request, "User-Agent");
    char text[300];

    snprintf(text, sizeof text, "hello %.50s %.50s %.50s %s", name ? name : "-",
             cookie ? cookie : "-", agent ? agent : "-", client->ip);
    (void)gw_send_to_client(gw, client->id, gw_str(text));
    (void)gw_join_group(gw, client->id, gw_str("all"));
}

/* "all TEXT" goes to everybody, "many N" is N messages back, "bye" ends it. */
static void on_message(struct gw *gw, const struct gw_client *client, struct gw_bytes message)
{
    char words[200];
    struct gw_send how = {.is_binary = client->is_binary};

    snprintf(words, sizeof words, "%.*s", (int)message.len, message.data);
    if (strncmp(words, "all ", 4) == 0) {
        (void)gw_send_to_group(gw, gw_str("all"), gw_str(words + 4));
    } else if (strncmp(words, "many ", 5) == 0) {
        for (long i = 0, n = strtol(words + 5, NULL, 10); i < n; i++) {
            char text[1100];
            memset(text, '.', 1000);
            snprintf(text + 1000, 100, "%ld", i);
            (void)gw_send_to_client(gw, client->id, gw_str(text));
        }
    } else if (strcmp(words, "bye") == 0) {
        (void)gw_close_client(gw, client->id, gw_str("farewell"));
    } else {
        (void)gw_send_to_client_with(gw, client->id, message, &how);
    }
}

static void on_close(struct gw *gw, const struct gw_client *client)
{
    gw_log(gw, "close %s", client->id);
}

const struct gw_module gw_module = {
    .abi = GW_MODULE_ABI,
    .name = "fallback probe",
    .on_connect = on_connect,
    .on_websocket_connect = on_websocket_connect,
    .on_message = on_message,
    .on_close = on_close,
};

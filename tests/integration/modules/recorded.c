/* Makes the calls that the PHP worker of worker-gateway.json made, by the same words. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gw/gateway.h>
#include <gw/json.h>
#include <gw/module.h>
#include <gw/timer.h>

static void on_connect(struct gw *gw, const struct gw_client *client)
{
    gw_send_to_client(gw, client->id, gw_str("welcome"));
}

static void on_websocket_connect(struct gw *gw, const struct gw_client *client,
                                 const struct gw_request *request)
{
    if (!gw_request_get(request, "any") && !gw_request_cookie(request, "any"))
        gw_send_to_client(gw, client->id, gw_str("ws {\"get\":[],\"server\":[],\"cookie\":[]}"));
}

static void group(struct gw *gw, const char *id)
{
    struct gw_bytes g = gw_str("g");
    struct gw_send how = {.exclude_ids = &id, .exclude_n = 1};

    gw_join_group(gw, id, g);
    gw_send_to_groups(gw, &g, 1, gw_str("hi"), &how);
    gw_leave_group(gw, id, g);
}

static void uid(struct gw *gw, const char *id)
{
    struct gw_bytes u = gw_str("u");
    struct gw_send raw = {.is_raw = true};

    gw_bind_uid(gw, id, u);
    gw_send_to_uid(gw, u, gw_str("hi"));
    gw_send_to_uids(gw, &u, 1, gw_str("hi"), &raw);
    gw_unbind_uid(gw, id);
}

static void query(struct gw *gw, const char *id)
{
    const struct gw_client_list *list = NULL;
    char text[128];

    int is_online = gw_is_online(gw, id);
    int rc = gw_get_client_ids_by_uid(gw, gw_str("u"), &list);
    long long count = gw_get_all_client_count(gw);
    snprintf(text, sizeof text, "[%d,[\"%s\"],%lld]", is_online,
             rc == 0 && list->n == 1 ? list->clients[0].id : gw_strerror(rc), count);
    gw_result_free(list);
    gw_send_to_client(gw, id, gw_str(text));
}

/* More than the queue towards the gateway takes; each message begins with its number. */
static void flood(struct gw *gw, const char *id)
{
    static char text[256 * 1024];

    for (int i = 0; i < 64; i++) {
        snprintf(text, sizeof text, "%d", i);
        int rc = gw_send_to_client(gw, id, gw_bytes(text, sizeof text));
        if (rc < 0)
            gw_log_error(gw, "flood %d: %s", i, gw_strerror(rc));
    }
}

static void on_message(struct gw *gw, const struct gw_client *client, struct gw_bytes message)
{
    const char *id = client->id;
    struct gw_send raw = {.is_raw = true};
    struct gw_send except = {.exclude_ids = &id, .exclude_n = 1};
    char word[32] = "";

    if (message.len < sizeof word)
        memcpy(word, message.data, message.len);
    if (strcmp(word, "session:set") == 0)
        gw_session_set_str(client->session, "k", "v");
    else if (strcmp(word, "session:null") == 0)
        gw_session_clear(client->session);
    else if (strcmp(word, "session:update") == 0)
        gw_update_session(gw, id, "{\"u\":1}");
    else if (strcmp(word, "send:current") == 0)
        gw_send_to_client(gw, id, gw_str("cur"));
    else if (strcmp(word, "send:raw") == 0)
        gw_send_to_client_with(gw, id, gw_str("\x81\x02ok"), &raw);
    else if (strcmp(word, "send:allexcept") == 0)
        gw_send_to_all(gw, gw_str("x"), &except);
    else if (strcmp(word, "group") == 0)
        group(gw, id);
    else if (strcmp(word, "uid") == 0)
        uid(gw, id);
    else if (strcmp(word, "query") == 0)
        query(gw, id);
    else if (strcmp(word, "close") == 0)
        gw_close_client(gw, id, gw_str("bye"));
    else if (strcmp(word, "destroy") == 0)
        gw_destroy_client(gw, id);
    else if (strcmp(word, "flood") == 0)
        flood(gw, id);
    else if (strcmp(word, "slow") == 0) {
        gw_sleep(gw, 300);
        gw_send_to_client(gw, id, gw_str("slow done"));
    }
}

static void on_close(struct gw *gw, const struct gw_client *client)
{
    char *session = gw_session_json(client->session, NULL);
    char text[256];

    snprintf(text, sizeof text, "left %s", session ? session : "");
    gw_free(session);
    gw_send_to_all(gw, gw_str(text), NULL);
}

static void on_stop(struct gw *gw)
{
    gw_send_to_all(gw, gw_str("stopped"), NULL);
}

const struct gw_module gw_module = {
    .abi = GW_MODULE_ABI,
    .name = "recorded",
    .on_connect = on_connect,
    .on_websocket_connect = on_websocket_connect,
    .on_message = on_message,
    .on_close = on_close,
    .on_stop = on_stop,
};

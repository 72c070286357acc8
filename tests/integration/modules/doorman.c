/* A test module: judges handshakes, closes with codes, and tells what it sees. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gw/gateway.h>
#include <gw/module.h>
#include <gw/timer.h>

static void tell(struct gw *gw, const char *id, const char *text)
{
    gw_send_to_client(gw, id, gw_str(text));
}

/* ?who=NAME: nobody, banned, slow (and let in), silent (never judged in time), else welcome. */
static void on_handshake(struct gw *gw, const struct gw_client *client,
                         const struct gw_request *request, struct gw_answer *answer)
{
    const char *who = gw_request_get(request, "who");
    if (!who)
        gw_answer_refuse(answer, 401, "Say who you are.");
    else if (strcmp(who, "banned") == 0)
        gw_answer_refuse(answer, 403, "Not you.");
    else if (strcmp(who, "odd") == 0)
        gw_answer_refuse(answer, 200, NULL); /* not a refusal: 403 */
    else if (strcmp(who, "slow") == 0)
        gw_sleep(gw, 300);
    else if (strcmp(who, "silent") == 0)
        gw_sleep(gw, 2500);
    char text[64];
    int bad = gw_answer_header(answer, "X-Bad", "a\r\nX-Worse: b");
    int unasked = gw_answer_subprotocol(answer, "unasked");
    snprintf(text, sizeof(text), "%d %d", bad < 0, unasked < 0);
    gw_answer_header(answer, "X-Doorman", text);
    gw_answer_header(answer, "Upgrade", "h2c"); /* the gateway's, so ignored */
    gw_answer_subprotocol(answer, "doorman.v1");
}

static void on_websocket_connect(struct gw *gw, const struct gw_client *client,
                                 const struct gw_request *request)
{
    const char *subprotocol = gw_request_subprotocol(request);
    char text[128];
    snprintf(text, sizeof(text), "welcome %s", subprotocol ? subprotocol : "-");
    tell(gw, client->id, text);
    const char *who = gw_request_get(request, "who");
    if (who && strcmp(who, "watcher") == 0)
        gw_join_group(gw, client->id, gw_str("watchers"));
}

/* "close CODE REASON" closes the sender so; "session" tells its claims. */
static void on_message(struct gw *gw, const struct gw_client *client, struct gw_bytes message)
{
    char text[256] = "";
    memcpy(text, message.data, message.len < sizeof(text) ? message.len : sizeof(text) - 1);
    if (strncmp(text, "close ", 6) == 0) {
        char *reason;
        long code = strtol(text + 6, &reason, 10);
        int rc = gw_close_client_with(gw, client->id, (uint16_t)code, gw_str(reason + 1));
        if (rc < 0)
            tell(gw, client->id, gw_strerror(rc));
        return;
    }
    if (strcmp(text, "session") == 0) {
        char *json = gw_session_json(client->session, "claims");
        tell(gw, client->id, json ? json : "none");
        gw_free(json);
        return;
    }
    tell(gw, client->id, text);
}

static void on_close(struct gw *gw, const struct gw_client *client)
{
    char text[256];
    snprintf(text, sizeof(text), "gone %d %.*s", client->close_code, (int)client->close_reason.len,
             (const char *)client->close_reason.data);
    gw_send_to_group(gw, gw_str("watchers"), gw_str(text));
}

const struct gw_module gw_module = {
    .abi = GW_MODULE_ABI,
    .name = "doorman",
    .on_handshake = on_handshake,
    .on_websocket_connect = on_websocket_connect,
    .on_message = on_message,
    .on_close = on_close,
};

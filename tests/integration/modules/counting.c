/* A test module: answers each message with what tells loss, doubling, reordering and lost sessions. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <gw/gateway.h>
#include <gw/module.h>
#include <gw/timer.h>

#ifndef VERSION
#define VERSION 1
#endif

/* Creates the file and blocks this process, with all its callbacks, until it is gone. */
static void hold(struct gw_bytes path)
{
    char name[256];
    snprintf(name, sizeof(name), "%.*s", (int)path.len, path.data);
    FILE *file = fopen(name, "w");
    if (file)
        fclose(file);
    while (access(name, F_OK) == 0)
        usleep(1000);
}

/* "die" ends this process at once; "hold PATH" blocks it; "sleep…" waits in the callback; "join X" joins a group; everything
 * else is counted in the session and echoed as "pid version count text". */
static void on_message(struct gw *gw, const struct gw_client *client, struct gw_bytes message)
{
    if (message.len == 3 && memcmp(message.data, "die", 3) == 0)
        _exit(9);
    if (message.len > 5 && memcmp(message.data, "hold ", 5) == 0) {
        hold(gw_bytes(message.data + 5, message.len - 5));
        return;
    }
    if (message.len > 5 && memcmp(message.data, "join ", 5) == 0) {
        gw_join_group(gw, client->id, gw_bytes(message.data + 5, message.len - 5));
        gw_send_to_client(gw, client->id, gw_str("joined"));
        return;
    }
    if (message.len > 6 && memcmp(message.data, "group ", 6) == 0) {
        gw_send_to_group(gw, gw_bytes(message.data + 6, 2), message);
        return;
    }
    if (message.len >= 5 && memcmp(message.data, "sleep", 5) == 0)
        gw_sleep(gw, 20);
    int64_t count = gw_session_int(client->session, "count", 0) + 1;
    gw_session_set_int(client->session, "count", count);
    char answer[256];
    int n = snprintf(answer, sizeof(answer), "%d %d %lld %.*s", (int)getpid(), VERSION, (long long)count,
                     (int)(message.len > 150 ? 150 : message.len), message.data);
    gw_send_to_client(gw, client->id, gw_bytes(answer, (size_t)n));
}

static void on_close(struct gw *gw, const struct gw_client *client)
{
    (void)client;
    gw_send_to_group(gw, gw_str("watchers"), gw_str("somebody left"));
}

const struct gw_module gw_module = {
    .abi = GW_MODULE_ABI,
    .name = "counting",
    .on_message = on_message,
    .on_close = on_close,
};

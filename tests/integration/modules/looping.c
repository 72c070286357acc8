/* A test module that hangs when it is told to, and otherwise tells who answers. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <gw/gateway.h>
#include <gw/module.h>
#include <gw/timer.h>

static bool is(struct gw_bytes message, const char *word)
{
    return message.len == strlen(word) && memcmp(message.data, word, message.len) == 0;
}

static void hang(void)
{
    for (volatile unsigned turns = 0;; turns++)
        ;
}

/* "loop": never returns. "sleep": waits for longer than stuck_timeout, which holds nobody up.
 * "slow": blocks for a little, one callback after the other. */
static void on_message(struct gw *gw, const struct gw_client *client, struct gw_bytes message)
{
    char text[64];

    if (is(message, "loop"))
        hang();
    if (is(message, "sleep"))
        gw_sleep(gw, 4000);
    if (is(message, "slow"))
        usleep(100000);
    snprintf(text, sizeof(text), "%d %.*s", (int)getpid(), (int)message.len, message.data);
    gw_send_to_client(gw, client->id, gw_str(text));
}

const struct gw_module gw_module = {
    .abi = GW_MODULE_ABI, .name = "looping", .on_message = on_message};

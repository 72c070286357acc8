/* A test module that sends more than its client takes, or takes more time than its client gives. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gw/gateway.h>
#include <gw/module.h>

enum { TEXT_MAX = 64 * 1024 };

/* Digits that do not compress to nothing. */
static void fill(char *at, size_t len, unsigned seed)
{
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1103515245 + 12345;
        at[i] = (char)('a' + seed / 65536 % 26);
    }
}

/* `count` messages of `len` bytes that begin with their number. */
static void flood(struct gw *gw, const char *id, unsigned count, size_t len)
{
    static char text[TEXT_MAX];

    for (unsigned i = 0; i < count; i++) {
        fill(text, len, i);
        snprintf(text, sizeof(text), "%08u", i);
        text[8] = ' ';
        gw_send_to_client(gw, id, gw_bytes(text, len));
    }
    gw_log(gw, "all sent");
}

/* "flood COUNT LENGTH"; "slow NUMBER …" blocks for a while and answers the number. */
static void on_message(struct gw *gw, const struct gw_client *client, struct gw_bytes message)
{
    unsigned number = 0;
    unsigned long len = 0;

    if (sscanf(message.data, "flood %u %lu", &number, &len) == 2 && len > 8 && len < TEXT_MAX) {
        flood(gw, client->id, number, len);
    } else if (sscanf(message.data, "slow %u", &number) == 1) {
        char text[16];
        usleep(2000);
        snprintf(text, sizeof(text), "%u", number);
        gw_send_to_client(gw, client->id, gw_str(text));
    }
}

static void on_buffer_full(struct gw *gw, const struct gw_client *client)
{
    gw_log(gw, "full: %s", client->id);
}

static void on_buffer_drain(struct gw *gw, const struct gw_client *client)
{
    gw_log(gw, "drained: %s", client->id);
}

static void on_close(struct gw *gw, const struct gw_client *client)
{
    gw_log(gw, "gone: %s", client->id);
}

const struct gw_module gw_module = {
    .abi = GW_MODULE_ABI,
    .name = "flooding",
    .on_message = on_message,
    .on_close = on_close,
    .on_buffer_full = on_buffer_full,
    .on_buffer_drain = on_buffer_drain,
};

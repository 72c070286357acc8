/* A test module: sends with receipts and closes by uid, inside a worker, and tells the numbers. */
#include <stdio.h>
#include <string.h>

#include <gw/gateway.h>
#include <gw/module.h>

static void tell(struct gw *gw, const char *id, const char *what, int rc, unsigned long long n)
{
    char text[128];
    int len = snprintf(text, sizeof(text), "%s %d %llu", what, rc, n);
    gw_send_to_client(gw, id, gw_bytes(text, (size_t)len));
}

/* "all": to everybody; "uid X": bound to X; "kick X": closes the clients of X. */
static void on_message(struct gw *gw, const struct gw_client *client, struct gw_bytes message)
{
    if (message.len > 4 && memcmp(message.data, "uid ", 4) == 0) {
        int rc = gw_bind_uid(gw, client->id, gw_bytes(message.data + 4, message.len - 4));
        tell(gw, client->id, "bound", rc, 0);
        return;
    }
    if (message.len > 5 && memcmp(message.data, "kick ", 5) == 0) {
        struct gw_bytes uid = gw_bytes(message.data + 5, message.len - 5);
        tell(gw, client->id, "kicked", gw_close_uid(gw, uid, gw_str("out")), 0);
        return;
    }
    const struct gw_receipt *receipt;
    struct gw_send how = {.receipt = &receipt};
    /* Sends without a receipt before and behind must not be counted. */
    gw_send_to_client(gw, client->id, gw_str("before"));
    int rc = gw_send_to_all(gw, message, &how);
    tell(gw, client->id, "reached", rc, receipt ? receipt->receivers : 999);
    gw_result_free(receipt);
}

const struct gw_module gw_module = {
    .abi = GW_MODULE_ABI,
    .name = "receipts",
    .on_message = on_message,
};

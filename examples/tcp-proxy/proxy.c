/* A TCP proxy: each connection gets one of its own to the target, and bytes go both ways. */
#include <gw/module.h>
#include <gw/service.h>

/* Whoever sends faster than the other side takes waits in gw_conn_flush(); nothing more is read
 * from it meanwhile, so that memory stays bounded. */
static void pass_on(struct gw_conn *to, struct gw_bytes bytes)
{
    int rc = gw_conn_send(to, bytes);

    if (rc == GW_EFULL && gw_conn_flush(to) == 0)
        (void)gw_conn_send(to, bytes); /* closed meanwhile: the other side learns that, too */
}

static void on_message(struct gw *gw, struct gw_conn *conn, struct gw_bytes bytes)
{
    struct gw_conn *other = gw_conn_data(conn);

    if (other)
        pass_on(other, bytes);
}

static void on_close(struct gw *gw, struct gw_conn *conn, struct gw_goodbye goodbye)
{
    struct gw_conn *other = gw_conn_data(conn);

    if (!other)
        return;
    gw_conn_set_data(other, NULL);
    gw_conn_close(other, 0, NULL);
}

static const struct gw_conn_events target_events = {.on_message = on_message, .on_close = on_close};

/* Nothing is read from the client before this has returned. */
static void on_connect(struct gw *gw, struct gw_conn *client)
{
    const char *target = gw_option(gw, "target");
    struct gw_dial how = {.events = &target_events, .data = client, .timeout_ms = 5000};
    struct gw_conn *there;

    int rc = gw_dial(gw, target, &how, &there);
    if (rc < 0) {
        gw_log_error(gw, "cannot reach %s: %s", target ? target : "the target", gw_strerror(rc));
        gw_conn_close(client, 0, NULL);
        return;
    }
    gw_conn_set_data(client, there);
}

const struct gw_service_module gw_service_module = {
    .abi = GW_SERVICE_ABI,
    .name = "proxy",
    .on_connect = on_connect,
    .on_message = on_message,
    .on_close = on_close,
};

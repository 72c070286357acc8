/* A WebSocket service: sends each message back, text as text, binary as binary. */
#include <gw/module.h>
#include <gw/service.h>

static void on_message(struct gw *gw, struct gw_conn *conn, struct gw_bytes message)
{
    int rc =
        gw_conn_is_binary(conn) ? gw_conn_send_binary(conn, message) : gw_conn_send(conn, message);

    /* Back-pressure: a client that does not read its echoes is not read from either. */
    if (rc == GW_EFULL && gw_conn_flush(conn) == 0)
        rc = gw_conn_is_binary(conn) ? gw_conn_send_binary(conn, message)
                                     : gw_conn_send(conn, message);
    if (rc < 0 && rc != GW_ECLOSED)
        gw_log_error(gw, "no echo for %s: %s", gw_conn_ip(conn), gw_strerror(rc));
}

const struct gw_service_module gw_service_module = {
    .abi = GW_SERVICE_ABI,
    .name = "echo",
    .on_message = on_message,
};

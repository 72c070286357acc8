/* A test module: tries to put line ends into everything that becomes a line of an HTTP answer. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <gw/http.h>
#include <gw/module.h>
#include <gw/service.h>

static void on_request(struct gw *gw, struct gw_conn *conn, struct gw_http *request)
{
    struct gw_bytes nothing = gw_str("");
    if (strcmp(gw_http_path(request), "/events") == 0) {
        if (gw_http_begin_events(request) < 0)
            return;
        int name = gw_conn_send_event(conn, "a\ndata: forged", NULL, nothing);
        int id = gw_conn_send_event(conn, NULL, "1\r\rdata: forged", nothing);
        char text[64];
        snprintf(text, sizeof text, "%d %d\r\n\r\nevent: forged", name == -EINVAL, id == -EINVAL);
        if (gw_conn_send_event(conn, NULL, NULL, gw_str(text)) == 0)
            gw_conn_close(conn, 0, NULL);
        return;
    }
    static const struct {
        const char *name, *value;
    } tries[] = {
        {"Location", "/\r\nX-Forged: 1"}, {"Set-Cookie", "a=b\nX-Forged: 1"},
        {"X-A\r\nX-Forged", "1"},         {"X-Forged: 1\r\nX-B", "1"},
        {"Content-Length", "0"},          {"Transfer-Encoding", "chunked"},
    };
    size_t refused_n = 0;
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++)
        refused_n += gw_http_set(request, tries[i].name, tries[i].value) == -EINVAL;
    refused_n += gw_http_answer(request, 200, "text/plain\r\nX-Forged: 1", nothing) == -EINVAL;
    char text[32];
    snprintf(text, sizeof text, "%zu refused", refused_n);
    if (gw_http_answer(request, 200, "text/plain", gw_str(text)) < 0)
        gw_log_error(gw, "no answer");
}

const struct gw_service_module gw_service_module = {.abi = GW_SERVICE_ABI, .on_request = on_request};

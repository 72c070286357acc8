/* A small HTTP server: a greeting, a form with an upload, an answer in pieces, a stream of events.
 */
#include <stdio.h>

#include <gw/http.h>
#include <gw/module.h>
#include <gw/service.h>
#include <gw/timer.h>

static const char text[] = "text/plain; charset=utf-8";

static void answer(struct gw *gw, struct gw_http *request, int status, const char *body)
{
    int rc = gw_http_answer(request, status, text, gw_str(body));

    if (rc < 0 && rc != GW_ECLOSED)
        gw_log_error(gw, "no answer to %s: %s", gw_http_path(request), gw_strerror(rc));
}

/* GET /?name=Ann */
static void greet(struct gw *gw, struct gw_http *request)
{
    const char *name = gw_http_get(request, "name");
    char body[300];

    snprintf(body, sizeof body, "Hello, %.200s!\n", name ? name : "world");
    answer(gw, request, 200, body);
}

/* POST /upload with a form: a field "title" and any number of files. */
static void take_upload(struct gw *gw, struct gw_http *request)
{
    struct gw_upload file;
    const char *title = gw_http_form(request, "title");
    char body[1024];
    int len = snprintf(body, sizeof body, "title: %.200s\n", title ? title : "none");

    for (size_t i = 0; i < 5 && gw_http_upload(request, i, &file); i++)
        len += snprintf(body + len, sizeof body - (size_t)len, "%.60s: %zu bytes of %.60s\n",
                        file.filename, file.data.len, file.type);
    answer(gw, request, 200, body);
}

/* GET /slow: a piece each tenth of a second; other requests are served meanwhile. */
static void count_slowly(struct gw *gw, struct gw_http *request)
{
    char line[32];

    if (gw_http_begin(request, 200, text) < 0)
        return;
    for (int i = 1; i <= 5; i++) {
        snprintf(line, sizeof line, "%d\n", i);
        if (gw_sleep(gw, 100) < 0 || gw_http_write(request, gw_str(line)) < 0)
            return;
    }
}

/* GET /events: the stream goes on after the callback; the timer below feeds it. */
static void begin_events(struct gw *gw, struct gw_conn *conn, struct gw_http *request)
{
    if (gw_http_begin_events(request) == 0)
        gw_conn_set_data(conn, gw);
}

static void send_tick(struct gw_conn *conn, void *arg)
{
    if (gw_conn_data(conn) && gw_conn_send_event(conn, "tick", NULL, gw_str(arg)) == GW_EFULL)
        gw_conn_destroy(conn); /* it does not read */
}

static void tick(struct gw *gw, void *arg)
{
    static unsigned n;
    char number[16];

    snprintf(number, sizeof number, "%u", ++n);
    gw_conn_each(gw, send_tick, number);
}

static void on_request(struct gw *gw, struct gw_conn *conn, struct gw_http *request)
{
    const char *path = gw_http_path(request);
    const char *method = gw_http_method(request);

    if (strcmp(path, "/") == 0)
        greet(gw, request);
    else if (strcmp(path, "/upload") == 0 && strcmp(method, "POST") == 0)
        take_upload(gw, request);
    else if (strcmp(path, "/slow") == 0)
        count_slowly(gw, request);
    else if (strcmp(path, "/events") == 0)
        begin_events(gw, conn, request);
    else
        answer(gw, request, 404, "There is nothing here.\n");
}

static void on_start(struct gw *gw)
{
    gw_timer_start(gw, 200, true, tick, NULL);
}

const struct gw_service_module gw_service_module = {
    .abi = GW_SERVICE_ABI,
    .name = "hello",
    .on_start = on_start,
    .on_request = on_request,
};

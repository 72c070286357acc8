/* A service that tells what happens on its connections: what tests of services watch. */
#include <stdio.h>
#include <stdlib.h>

#include <gw/http.h>
#include <gw/module.h>
#include <gw/service.h>
#include <gw/timer.h>

static void on_connect(struct gw *gw, struct gw_conn *conn)
{
    gw_log(gw, "connect");
}

static void on_websocket_connect(struct gw *gw, struct gw_conn *conn, const struct gw_http *request)
{
    const char *token = gw_http_get(request, "token");

    if (token && strcmp(token, "bad") == 0 && gw_conn_refuse(conn, 403, "no") < 0)
        gw_log_error(gw, "the handshake could not be refused");
}

/* "sleep MS TEXT" answers late, "fill" sends until the queue is full, "dial URL TEXT" asks there;
 * for "repeat URL N" see repeat(). */
static void dial(struct gw *gw, struct gw_conn *conn, char *words)
{
    char *text = strchr(words, ' ');
    struct gw_conn *there;
    struct gw_bytes answer;
    char line[300];

    *text++ = '\0';
    struct gw_dial how = {.is_insecure = gw_option(gw, "insecure") != NULL};
    int rc = gw_dial(gw, words, &how, &there);
    if (rc == 0) {
        rc = gw_conn_send(there, gw_str(text));
        if (rc == 0)
            rc = gw_conn_read(there, &answer);
        snprintf(line, sizeof line, "%d %.*s", rc, rc == 0 ? (int)answer.len : 0,
                 rc == 0 ? answer.data : "");
        gw_conn_close(there, 1000, "");
    } else {
        snprintf(line, sizeof line, "%d", rc);
    }
    (void)gw_conn_send(conn, gw_str(line));
}

/* "repeat URL N": sends N messages of 60,000 bytes there, and reads an answer to each. */
static void repeat(struct gw *gw, struct gw_conn *conn, char *words)
{
    static char block[60000];
    char *n = strchr(words, ' ');
    struct gw_conn *there;
    struct gw_bytes answer;

    *n++ = '\0';
    memset(block, 'x', sizeof block);
    int rc = gw_dial(gw, words, NULL, &there);
    for (unsigned long left = strtoul(n, NULL, 10); rc == 0 && left > 0; left--) {
        rc = gw_conn_send(there, gw_bytes(block, sizeof block));
        if (rc == 0)
            rc = gw_conn_read(there, &answer);
        if (rc == 0 && answer.len != sizeof block)
            rc = GW_EPROTO;
    }
    if (there)
        gw_conn_close(there, 1000, "");
    (void)gw_conn_send(conn, gw_str(rc == 0 ? "done" : gw_strerror(rc)));
}

static void fill(struct gw *gw, struct gw_conn *conn)
{
    static char block[64 * 1024];
    int n = 0;

    memset(block, 'x', sizeof block);
    while (gw_conn_send(conn, gw_bytes(block, sizeof block)) == 0)
        n++;
    gw_log(gw, "full after %d", n);
}

static void on_message(struct gw *gw, struct gw_conn *conn, struct gw_bytes message)
{
    char words[512];

    if (gw_conn_data(conn))
        gw_log_error(gw, "callbacks overlap");
    gw_conn_set_data(conn, gw);
    snprintf(words, sizeof words, "%.*s", (int)message.len, message.data);
    if (strncmp(words, "sleep ", 6) == 0) {
        char *text;
        gw_sleep(gw, strtoul(words + 6, &text, 10));
        (void)gw_conn_send(conn, gw_str(text + 1));
    } else if (strncmp(words, "dial ", 5) == 0) {
        dial(gw, conn, words + 5);
    } else if (strncmp(words, "repeat ", 7) == 0) {
        repeat(gw, conn, words + 7);
    } else if (strcmp(words, "fill") == 0) {
        fill(gw, conn);
    } else if (strcmp(words, "bye") == 0) {
        gw_conn_close(conn, 4001, "told to");
    } else if (strcmp(words, "count") == 0) {
        snprintf(words, sizeof words, "%zu", gw_conn_count(gw));
        (void)gw_conn_send(conn, gw_str(words));
    } else {
        (void)gw_conn_send(conn, message);
    }
    gw_conn_set_data(conn, NULL);
}

static void on_close(struct gw *gw, struct gw_conn *conn, struct gw_goodbye goodbye)
{
    gw_log(gw, "close %u", goodbye.code);
}

static void on_buffer_full(struct gw *gw, struct gw_conn *conn)
{
    gw_log(gw, "buffer full");
}

static void on_buffer_drain(struct gw *gw, struct gw_conn *conn)
{
    gw_log(gw, "buffer drained");
}

/* /wait?ms=N answers late; /silent forgets to; else method, path, and the body's length. */
static void on_request(struct gw *gw, struct gw_conn *conn, struct gw_http *request)
{
    const char *ms = gw_http_get(request, "ms");
    const char *cookie = gw_http_cookie(request, "c");
    char body[600];

    if (strcmp(gw_http_path(request), "/silent") == 0)
        return;
    if (ms)
        gw_sleep(gw, strtoul(ms, NULL, 10));
    if (gw_http_set(request, "Content-Length", "1") == 0 ||
        gw_http_set(request, "X-Bad", "a\r\nb: c") == 0 ||
        gw_http_set(request, "X-Good", "yes") < 0)
        gw_log_error(gw, "headers are not judged right");
    snprintf(body, sizeof body, "%s %s %zu %s", gw_http_method(request), gw_http_path(request),
             gw_http_body(request).len, cookie ? cookie : "-");
    (void)gw_http_answer(request, 200, "text/plain", gw_str(body));
}

static void on_stop(struct gw *gw)
{
    gw_log(gw, "stop");
}

const struct gw_service_module gw_service_module = {
    .abi = GW_SERVICE_ABI,
    .name = "probe",
    .on_connect = on_connect,
    .on_websocket_connect = on_websocket_connect,
    .on_message = on_message,
    .on_request = on_request,
    .on_close = on_close,
    .on_buffer_full = on_buffer_full,
    .on_buffer_drain = on_buffer_drain,
    .on_stop = on_stop,
};

/* Response heads (RFC 9112 §4) and the small answers that need no other code. */
#include "proto/http.h"

#include "base/log.h"

static const struct {
    int status;
    const char *reason;
} reasons[] = {
    {100, "Continue"},
    {101, "Switching Protocols"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {207, "Multi-Status"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

const char *http_reason(int status)
{
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Unknown";
}

void http_put_status(struct buf *out, int status, int64_t now_s)
{
    buf_printf(out, "HTTP/1.1 %d %s\r\nDate: ", status, http_reason(status));
    http_put_date(out, now_s);
    buf_puts(out, "\r\n");
}

void http_put_header(struct buf *out, const char *name, struct span value)
{
    /* A line end in a value would let its author write headers of his own. */
    if (span_find(value, '\r') >= 0 || span_find(value, '\n') >= 0 || strpbrk(name, "\r\n"))
        log_fatal("a line end inside the HTTP header %.40s", name);
    buf_puts(out, name);
    buf_puts(out, ": ");
    buf_put_span(out, value);
    buf_puts(out, "\r\n");
}

void http_put_error(struct buf *out, int status, const char *text, int64_t now_s)
{
    http_put_status(out, status, now_s);
    if (status == 401) /* RFC 9110 §15.5.2 asks for one */
        buf_puts(out, "WWW-Authenticate: Bearer\r\n");
    buf_printf(out,
               "Content-Type: text/plain; charset=utf-8\r\n"
               "Content-Length: %zu\r\n"
               "Connection: close\r\n\r\n%s\n",
               strlen(text) + 1, text);
}

/* php_request: what the recorded handshakes became on the way to the worker. */
#include "proto/php_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/phpser.h"
#include "proto/wire.h"
#include "support/vectors.h"

/* The body's REMOTE_PORT: ephemeral, so the test passes on what was recorded. */
static uint16_t port_in(struct span body)
{
    static const char mark[] = "s:11:\"REMOTE_PORT\";i:";
    const char *at = memmem(body.at, body.len, mark, sizeof mark - 1);

    assert_non_null(at);
    return (uint16_t)strtoul(at + sizeof mark - 1, NULL, 10);
}

static void assert_request(const char *what, struct span head, struct span body)
{
    struct http_request r;
    struct buf got = {0};

    if (http_parse_request(head, 0, &r) <= 0)
        fail_msg("%s: not parsed", what);
    php_put_request(&got, &r, "127.0.0.1", port_in(body), 7272, span_of(NULL, 0));
    assert_bytes(what, buf_span(&got), body);
    buf_fini(&got);
}

static struct span recorded_body(const json_t *vector)
{
    const json_t *packet;
    size_t i;

    json_array_foreach(json_object_get(vector, "to_worker"), i,
                       packet) if (span_is(vectors_text(packet, "cmd"),
                                           "CMD_ON_WEBSOCKET_CONNECT")) return vectors_text(packet,
                                                                                            "body");
    return span_of(NULL, 0);
}

static void recorded_handshakes(void **state)
{
    json_t *root = vectors_load("client-protocols.json");
    struct buf head = {0};
    size_t done_n = 0, i;
    json_t *vector;

    json_array_foreach(json_object_get(root, "websocket_handshake"), i, vector)
    {
        struct span body = recorded_body(vector);
        const char *name = json_string_value(json_object_get(vector, "name"));
        /* No requests of RFC 9112, as the vectors say too; our parser refuses them. */
        bool is_refused = strcmp(name, "no_uri") == 0 || strcmp(name, "no_host") == 0;
        if (body.len == 0 || is_refused)
            continue;
        assert_true(vectors_hex(vector, "request_hex", &head));
        assert_request(name, buf_span(&head), body);
        done_n++;
    }
    assert_int_equal(done_n, 13);
    buf_fini(&head);
    json_decref(root);
}

/* worker-gateway.json on_websocket_connect records the body alone; the request follows from it. */
static void recorded_packet(void **state)
{
    static const char head[] =
        "GET /chat?token=a%20b&x[]=1&x[]=2&m[k][j]=v&5=five&e=&n&uni=%C3%A9&p.q=1 HTTP/1.1\r\n";
    json_t *root = vectors_load("worker-gateway.json");
    struct buf packet = {0}, request = {0};
    struct wire_packet p;
    const json_t *vector;
    struct php_key key;
    const struct php_value *v;
    size_t i, pos = 0;
    int err;

    json_array_foreach(json_object_get(root, "gateway_to_worker"), i,
                       vector) if (span_is(vectors_text(vector, "name"), "on_websocket_connect"))
        assert_true(
            vectors_hex(json_array_get(json_object_get(vector, "to_worker"), 0), "hex", &packet));
    assert_true(wire_decode(buf_span(&packet), WIRE_PACKET_MAX, &p) > 0);
    struct php_doc *d = php_doc_new();
    const struct php_value *body = php_read(d, p.body, &err);
    assert_non_null(body);
    buf_puts(&request, head);
    while (php_next(php_get(body, "server"), &pos, &key, &v)) {
        if (key.text.len < 5 || memcmp(key.text.at, "HTTP_", 5) != 0)
            continue;
        for (size_t k = 5; k < key.text.len; k++)
            buf_putc(&request, key.text.at[k] == '_' ? '-' : key.text.at[k]);
        buf_puts(&request, ": ");
        buf_put_span(&request, php_string(v));
        buf_puts(&request, "\r\n");
    }
    buf_puts(&request, "\r\n");
    assert_request("on_websocket_connect", buf_span(&request), p.body);
    php_doc_free(d);
    buf_fini(&packet);
    buf_fini(&request);
    json_decref(root);
}

/* HTTP/1.0 allows it; as in the vector no_host. */
static void a_missing_host_is_null(void **state)
{
    struct buf body = {0};
    struct http_request r;
    int err;

    assert_true(http_parse_request(span_str("GET / HTTP/1.0\r\n\r\n"), 0, &r) > 0);
    php_put_request(&body, &r, "127.0.0.1", 1, 2, span_of(NULL, 0));
    struct php_doc *d = php_doc_new();
    const struct php_value *v = php_read(d, buf_span(&body), &err);
    assert_int_equal(err, 0);
    assert_int_equal(php_type(php_get(php_get(v, "server"), "SERVER_NAME")), PHP_NULL);
    php_doc_free(d);
    buf_fini(&body);
}

/* Repetitions of a name are joined; another name with the same key replaces the value, in place. */
static void two_names_of_one_key(void **state)
{
    static const char head[] = "GET / HTTP/1.1\r\nX-A: 1\r\nHost: h\r\nX_A: 2\r\n"
                               "x-a: 3\r\nX_a: 4\r\nx-A: 5\r\n\r\n";
    static const char want[] = "s:8:\"HTTP_X_A\";s:3:\"2,4\";s:9:\"HTTP_HOST\";s:1:\"h\";}";
    struct buf body = {0};
    struct http_request r;

    assert_true(http_parse_request(span_str(head), 0, &r) > 0);
    php_put_request(&body, &r, "127.0.0.1", 1, 2, span_of(NULL, 0));
    const char *at = memmem(body.at, body.len, "s:8:\"HTTP_X_A\"", 14);
    assert_non_null(at);
    assert_memory_equal(at, want, sizeof want - 1);
    assert_non_null(memmem(body.at, body.len, "\"server\";a:11:{", 15));
    buf_fini(&body);
}

static void the_deepest_query_stays_readable(void **state)
{
    struct buf request = {0}, body = {0};
    struct http_request r;
    int err;

    buf_puts(&request, "GET /?a");
    for (int i = 0; i < PHP_DEPTH_MAX - 2; i++)
        buf_puts(&request, "[]");
    buf_puts(&request, "=1 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_true(http_parse_request(buf_span(&request), 0, &r) > 0);
    php_put_request(&body, &r, "::1", 1, 2, span_of(NULL, 0));
    struct php_doc *d = php_doc_new();
    const struct php_value *v = php_read(d, buf_span(&body), &err);
    assert_int_equal(err, 0);
    assert_int_equal(php_len(php_get(v, "get")), 1);
    php_doc_free(d);
    buf_fini(&request);
    buf_fini(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_handshakes),
        cmocka_unit_test(recorded_packet),
        cmocka_unit_test(a_missing_host_is_null),
        cmocka_unit_test(two_names_of_one_key),
        cmocka_unit_test(the_deepest_query_stays_readable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

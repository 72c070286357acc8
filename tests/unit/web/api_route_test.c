/* Requests to the HTTP API: which of several mistakes is told, and to whom nothing is told. */
#include "web/api_route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/tmpdir.h"
#include "web/api_conf.h"
#include "web/web_conf.h"

#define GOOD "Authorization: Bearer 0123456789abcdef\r\n"
#define JSON "Content-Type: application/json\r\n"

static struct tmpdir dir;
static struct conf *conf;
static struct api_keys keys;
static struct web_conf web = {.api_max_body_bytes = 100};
static const struct conf_item origins[] = {{.text = "https://app.example"}};

static struct api_route route;
static struct api_answer answer;

static int begin(void **state)
{
    static const struct conf_table *const tables[] = {&api_key_table};
    struct buf errors = {0}, credentials = {0};
    dir = tmpdir_make();
    const char *path =
        tmpdir_write(&dir, "t.conf", "[api all]\ntoken = 0123456789abcdef\ncalls = send, count\n");
    assert_int_equal(conf_load(path, tables, 1, &errors, &conf), 0);
    assert_int_equal(api_keys_read(conf, &credentials, &errors), 0);
    struct span rest = buf_span(&credentials);
    assert_int_equal(api_keys_load(&keys, conf, &rest, 0), 0);
    buf_fini(&credentials);
    return 0;
}

static int end(void **state)
{
    api_keys_fini(&keys);
    conf_free(conf);
    tmpdir_remove(&dir);
    buf_fini(&answer.body);
    buf_fini(&answer.lines);
    return 0;
}

/* "POST /api/send" and header lines. */
static bool find(const char *start, const char *lines)
{
    static char head[1000];
    struct http_request r;
    buf_clear(&answer.body);
    buf_clear(&answer.lines);
    answer.status = 0;
    int n = snprintf(head, sizeof(head), "%s HTTP/1.1\r\nHost: x\r\n%s\r\n", start, lines);
    assert_int_equal(http_parse_request(span_of(head, (size_t)n), 0, &r), n);
    return api_route_find(&web, &keys, &r, &route, &answer);
}

static void refused(const char *start, const char *lines, int status, const char *code)
{
    char want[100];
    if (find(start, lines))
        fail_msg("%s is let through", start);
    if (answer.status != status)
        fail_msg("%s: %d instead of %d", start, answer.status, status);
    snprintf(want, sizeof(want), "{\"error\":{\"code\":\"%s\"", code);
    assert_int_equal(strncmp(buf_cstr(&answer.body), want, strlen(want)), 0);
}

static bool has_line(const char *line)
{
    return strstr(buf_cstr(&answer.lines), line) != NULL;
}

static void calls_are_found(void **state)
{
    assert_true(find("POST /api/send", GOOD JSON));
    assert_int_equal(route.place, API_PLACE_OP);
    assert_string_equal(route.op->name, "send");
    assert_string_equal(route.key->name, "all");
    assert_true(find("GET /api/count?x=y", GOOD));
    assert_string_equal(route.op->name, "count");
    assert_true(find("HEAD /api/count", GOOD));
    assert_true(find("POST /api/batch", GOOD JSON));
    assert_int_equal(route.place, API_PLACE_BATCH);
    assert_true(find("GET /api/openapi.json", "")); /* for everybody */
    assert_int_equal(route.place, API_PLACE_OPENAPI);
    assert_int_equal(answer.lines.len, 0);
}

static void what_is_no_call_is_not_found(void **state)
{
    static const char *const bad[] = {"/api/",      "/api/Send",  "/api/send/", "/api/sen",
                                      "/api/sendx", "/api//send", "/api/%73end"};
    char start[64];
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        snprintf(start, sizeof(start), "POST %s", bad[i]);
        refused(start, GOOD JSON, 404, "no_such_call");
    }
}

static void methods_are_told(void **state)
{
    refused("GET /api/send", GOOD, 405, "bad_method");
    assert_true(has_line("Allow: POST\r\n"));
    refused("POST /api/count", GOOD JSON, 405, "bad_method");
    assert_true(has_line("Allow: GET, HEAD\r\n"));
    refused("POST /api/openapi.json", GOOD JSON, 405, "bad_method");
    refused("GET /api/batch", GOOD, 405, "bad_method");
    refused("OPTIONS /api/send", "Access-Control-Request-Method: POST\r\n", 405, "bad_method");
}

/* RFC 6750 §3. */
static void strangers_learn_only_how_to_show_a_token(void **state)
{
    static const char *const bad[] = {
        "Authorization: Bearer 0123456789abcdeF\r\n",    "Authorization: Bearer \r\n",
        "Authorization: Basic 0123456789abcdef\r\n",     "Authorization: 0123456789abcdef\r\n",
        "Authorization: Bearer 0123456789abcdef, x\r\n", "Authorization:\r\n"};
    refused("POST /api/send", JSON, 401, "unauthorized");
    assert_true(has_line("WWW-Authenticate: Bearer realm=\"gatehouse\"\r\n"));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        refused("POST /api/kick", bad[i], 401, "unauthorized");
        assert_true(has_line("error=\"invalid_token\"\r\n"));
    }
    assert_true(find("POST /api/send", JSON "authorization: bEARER   0123456789abcdef \r\n"));
}

static void keys_have_their_calls(void **state)
{
    refused("POST /api/kick", GOOD JSON, 403, "forbidden");
    refused("GET /api/sessions", GOOD, 403, "forbidden");
    assert_true(find("POST /api/batch", GOOD JSON)); /* each call in it is asked for later */
}

static void bodies_are_json_of_a_size(void **state)
{
    refused("POST /api/send", GOOD, 415, "bad_type");
    refused("POST /api/send", GOOD "Content-Type: text/plain\r\n", 415, "bad_type");
    refused("POST /api/send", GOOD "Content-Type: application/jsonx\r\n", 415, "bad_type");
    refused("POST /api/send", GOOD JSON "Content-Length: 101\r\n", 413, "too_large");
    assert_true(find("POST /api/send", GOOD JSON "Content-Length: 100\r\n"));
    assert_true(find("POST /api/send", GOOD "Content-Type: Application/JSON ; charset=utf-8\r\n"));
}

static void pages_of_listed_origins_only(void **state)
{
    static const char preflight[] = "Origin: https://app.example\r\n"
                                    "Access-Control-Request-Method: POST\r\n";
    web.api_origins = (struct conf_list){.at = origins, .len = 1};
    assert_true(find("OPTIONS /api/send", preflight)); /* without a key: browsers send none */
    assert_int_equal(route.place, API_PLACE_PREFLIGHT);
    assert_true(has_line("Access-Control-Allow-Origin: https://app.example\r\n"));
    assert_true(has_line("Access-Control-Allow-Methods: POST\r\n"));
    refused("OPTIONS /api/none", preflight, 404, "no_such_call");
    refused("OPTIONS /api/send", "Origin: https://app.example\r\n", 405, "bad_method");
    refused("POST /api/send", "Origin: https://app.example.evil\r\n", 401, "unauthorized");
    assert_false(has_line("Allow-Origin"));
    assert_true(has_line("Vary: Origin\r\n"));
    /* The page may read why it was refused. */
    refused("POST /api/send", "Origin: https://app.example\r\n", 401, "unauthorized");
    assert_true(has_line("Access-Control-Allow-Origin: https://app.example\r\n"));
    web.api_origins = (struct conf_list){0};
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_are_found),
        cmocka_unit_test(what_is_no_call_is_not_found),
        cmocka_unit_test(methods_are_told),
        cmocka_unit_test(strangers_learn_only_how_to_show_a_token),
        cmocka_unit_test(keys_have_their_calls),
        cmocka_unit_test(bodies_are_json_of_a_size),
        cmocka_unit_test(pages_of_listed_origins_only),
    };
    return cmocka_run_group_tests(tests, begin, end);
}

/* The [web] section: mistakes that a table cannot express, each with its line and a way out. */
#include "web/web_conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <gw/err.h>

#include "support/tmpdir.h"
#include "web/api_conf.h"

#define KEY "\n[api k]\ntoken = 0123456789abcdef\ncalls = read\n"

static struct tmpdir dir;

static int set_up(void **state)
{
    dir = tmpdir_make();
    tmpdir_mkdir(&dir, "pages");
    return 0;
}

static int tear_down(void **state)
{
    tmpdir_remove(&dir);
    return 0;
}

/* Lines of the section from the third on. */
static int check(const char *lines, struct buf *errors)
{
    static const struct conf_table *const tables[] = {&web_conf_table, &api_key_table};
    char text[1000];
    struct conf *conf;
    snprintf(text, sizeof(text), "[web]\n%s%s", strstr(lines, "root") ? "" : "root = pages\n",
             lines);
    if (conf_load(tmpdir_write(&dir, "t.conf", text), tables, 2, errors, &conf) < 0)
        fail_msg("%s", buf_cstr(errors));
    int rc = web_conf_check(conf, conf_section_at(conf, 0), errors);
    conf_free(conf);
    return rc;
}

static void expect(const char *lines, const char *words)
{
    struct buf errors = {0};
    int rc = check(lines, &errors);
    if (rc != (words ? GW_ECONF : 0) || (words && !strstr(buf_cstr(&errors), words)))
        fail_msg("%s: %d, \"%s\"", lines, rc, buf_cstr(&errors));
    assert_int_equal(errors.len > 0, words != NULL);
    buf_fini(&errors);
}

static void the_root_is_a_folder(void **state)
{
    expect("", NULL);
    expect("root = absent\n", "t.conf:2: [web] root: ");
    expect("root = t.conf\n", "not a folder");
}

static void an_index_has_no_path(void **state)
{
    expect("index = start.html\n", NULL);
    expect("index = a/b.html\n", "t.conf:3: [web] index: a/b.html: must be the name of a file");
    expect("index = ../x\n", "without a path");
}

static void a_header_is_a_whole_line(void **state)
{
    expect("header = X-One: a\nheader = Y: b: c\n", NULL);
    expect("header = nothing\n", "write it as \"Name: value\"");
    expect("header = X-One: a\nheader = X Y: a\n", "t.conf:4: [web] header: X Y: a: ");
}

/* Below the prefix of the API nobody would find them. */
static void metrics_have_a_path_of_their_own(void **state)
{
    static const char *const bad[] = {"metrics", "/", "/a?b", "/a#b", "/a b", "/api/metrics"};
    char lines[100];
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        snprintf(lines, sizeof(lines), "metrics = %s\n", bad[i]);
        expect(lines, "t.conf:3: [web] metrics: ");
    }
    expect("metrics = /metrics\nmetrics_allow = 10.0.0.0/8\n", NULL);
    expect("metrics = /apis\n", NULL);
    expect("metrics = /m\nmetrics_allow = everybody\n", "\"everybody\" is no address");
}

/* RFC 6454 §6.2: as browsers send it, or no page would ever match. */
static void origins_are_what_browsers_send(void **state)
{
    static const char *const bad[] = {"app.example",          "https://",
                                      "https://app.example/", "https://a,https://b",
                                      "https://*.example",    "*"};
    char lines[100];
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        snprintf(lines, sizeof(lines), "api_origin = %s\n" KEY, bad[i]);
        expect(lines, "write it as \"https://host:port\"");
    }
    expect("api_origin = https://app.example:8443\napi_origin = http://localhost:3000\n" KEY, NULL);
}

static void registries_matter_with_an_api_only(void **state)
{
    expect("register_address = 10.0.0.1:1236\n", NULL);
    expect("register_address = 10.0.0.1:1236\n" KEY, "is on another host; set secret_key");
}

static void proxies_must_be_named(void **state)
{
    expect("proxy_protocol = true\n", "say with trusted_proxies which addresses the proxies have");
    expect("proxy_protocol = true\ntrusted_proxies = 10.0.0.1\n", NULL);
    expect("trusted_proxies = proxy.example\n", "\"proxy.example\" is no address");
    expect("proxy_protocol = true\ntrusted_proxies = nobody\n", "t.conf:4: ");
}

/* All of them at once: nobody wants to start ten times. */
static void every_mistake_is_told(void **state)
{
    struct buf errors = {0};
    assert_int_equal(check("index = a/b\nheader = x\nmetrics = y\nmetrics_allow = z\n", &errors),
                     GW_ECONF);
    for (int line = 3; line <= 6; line++) {
        char where[32];
        snprintf(where, sizeof(where), "t.conf:%d: ", line);
        assert_non_null(strstr(buf_cstr(&errors), where));
    }
    buf_fini(&errors);
}

#define CONF_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONF_TEST(the_root_is_a_folder),           CONF_TEST(an_index_has_no_path),
        CONF_TEST(a_header_is_a_whole_line),       CONF_TEST(metrics_have_a_path_of_their_own),
        CONF_TEST(origins_are_what_browsers_send), CONF_TEST(registries_matter_with_an_api_only),
        CONF_TEST(proxies_must_be_named),          CONF_TEST(every_mistake_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

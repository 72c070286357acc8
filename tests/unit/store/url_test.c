/* store URLs: every form, every complaint, and that no password reaches the log. */
#include "store/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <gw/err.h>

static struct store_url parsed(const char *text)
{
    struct store_url u;
    struct buf error = {0};
    int rc = store_url_parse(text, &u, &error);
    if (rc < 0)
        fail_msg("%s: %s", text, buf_cstr(&error));
    buf_fini(&error);
    return u;
}

static void sqlite_has_a_path(void **state)
{
    struct store_url u = parsed("sqlite:var/chat.db");
    assert_int_equal(u.kind, STORE_SQLITE);
    assert_string_equal(u.path, "var/chat.db");
    assert_string_equal(u.shown, "sqlite:var/chat.db");
    assert_int_equal(u.timeout_ms, 1000);
    store_url_fini(&u);
    u = parsed("sqlite:/a%20b%3f.db?timeout_ms=10");
    assert_string_equal(u.path, "/a b?.db");
    assert_int_equal(u.timeout_ms, 10);
    store_url_fini(&u);
}

static void redis_has_a_host(void **state)
{
    struct store_url u = parsed("redis://127.0.0.1");
    assert_int_equal(u.kind, STORE_REDIS);
    assert_string_equal(u.host, "127.0.0.1");
    assert_int_equal(u.port, 6379);
    assert_int_equal(u.db, 0);
    assert_null(u.password);
    assert_null(u.path);
    store_url_fini(&u);
    u = parsed("redis://redis.example:7000/12?timeout_ms=60000");
    assert_string_equal(u.host, "redis.example");
    assert_int_equal(u.port, 7000);
    assert_int_equal(u.db, 12);
    assert_int_equal(u.timeout_ms, 60000);
    store_url_fini(&u);
    u = parsed("redis://[::1]:7000");
    assert_string_equal(u.host, "::1");
    assert_int_equal(u.port, 7000);
    store_url_fini(&u);
    u = parsed("redis://[::1]/3");
    assert_string_equal(u.host, "::1");
    assert_int_equal(u.port, 6379);
    assert_int_equal(u.db, 3);
    store_url_fini(&u);
}

static void passwords_are_read_and_never_shown(void **state)
{
    struct store_url u = parsed("redis://:s3cr%40t@h:1/2");
    assert_null(u.user);
    assert_string_equal(u.password, "s3cr@t");
    assert_string_equal(u.shown, "redis://h:1/2");
    store_url_fini(&u);
    u = parsed("redis://app:a:b@c@h");
    assert_string_equal(u.user, "app");
    assert_string_equal(u.password, "a:b@c");
    assert_string_equal(u.shown, "redis://h:6379/0");
    store_url_fini(&u);
    u = parsed("redis+unix://:pw@/run/redis.sock?db=4&timeout_ms=50");
    assert_string_equal(u.path, "/run/redis.sock");
    assert_string_equal(u.password, "pw");
    assert_string_equal(u.shown, "redis+unix:///run/redis.sock");
    assert_int_equal(u.db, 4);
    assert_int_equal(u.timeout_ms, 50);
    store_url_fini(&u);
}

static void what_is_wrong_is_said(void **state)
{
    static const struct {
        const char *url;
        const char *word;
    } wrong[] = {
        {"", "write sqlite:"},
        {"mysql://x", "write sqlite:"},
        {"rediss://h", "TLS"},
        {"sqlite:", "path is missing"},
        {"sqlite:a%zz", "two hexadecimal"},
        {"sqlite:a%4", "two hexadecimal"},
        {"sqlite:a%00b", "two hexadecimal"},
        {"sqlite:a?db=1", "only timeout_ms"},
        {"redis://", "host is missing"},
        {"redis://:6379", "host is missing"},
        {"redis://h:0", "port"},
        {"redis://h:65536", "port"},
        {"redis://h:", "port"},
        {"redis://h/x", "number of a database"},
        {"redis://h?db=x", "db must"},
        {"redis://h?timeout_ms=9", "timeout_ms"},
        {"redis://h?timeout_ms=60001", "timeout_ms"},
        {"redis://h?color=blue", "only timeout_ms and db"},
        {"redis://secret@h", "needs a password"},
        {"redis+unix://:secret@", "path is missing"},
        {"redis://:secret@h:x", "port"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct store_url u;
        struct buf error = {0};
        assert_int_equal(store_url_parse(wrong[i].url, &u, &error), GW_ECONF);
        if (!strstr(buf_cstr(&error), wrong[i].word) || strstr(buf_cstr(&error), "secret"))
            fail_msg("%s: %s", wrong[i].url, buf_cstr(&error));
        assert_null(u.shown);
        buf_fini(&error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sqlite_has_a_path),
        cmocka_unit_test(redis_has_a_host),
        cmocka_unit_test(passwords_are_read_and_never_shown),
        cmocka_unit_test(what_is_wrong_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

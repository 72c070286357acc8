/* Keys about tokens: where one may be, and what must be said beside the kind. */
#include "gateway/auth_conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <gw/err.h>

#include "gateway/gateway_conf.h"
#include "support/tmpdir.h"

static void places_are_named(void **state)
{
    static const struct {
        const char *text;
        enum auth_place place;
        const char *name;
    } good[] = {{"query:token", AUTH_QUERY, "token"},
                {"header:Authorization", AUTH_HEADER, "Authorization"},
                {"cookie:a:b", AUTH_COOKIE, "a:b"}};
    static const char *const bad[] = {"", "query", "query:", "Query:x", "body:x", ":x", " query:x"};
    enum auth_place place;
    struct span name;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_true(auth_conf_place(good[i].text, &place, &name));
        assert_int_equal(place, good[i].place);
        assert_true(span_is(name, good[i].name));
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (auth_conf_place(bad[i], &place, &name))
            fail_msg("\"%s\" is taken for a place", bad[i]);
}

static void expect(const char *lines, const char *words)
{
    static const struct conf_table *const tables[] = {&gateway_conf_table};
    struct tmpdir dir = tmpdir_make();
    struct buf errors = {0};
    struct conf *conf;
    char text[500];
    snprintf(text, sizeof(text), "[gateway t]\nlisten = websocket://127.0.0.1:1\n%s", lines);
    if (conf_load(tmpdir_write(&dir, "t.conf", text), tables, 1, &errors, &conf) < 0)
        fail_msg("%s", buf_cstr(&errors));
    const struct conf_section *s = conf_section_at(conf, 0);
    const struct gateway_conf *gc = s->conf;
    int rc = auth_conf_check(conf, s, &gc->auth, &errors);
    if (rc != (words ? GW_ECONF : 0) || (words && !strstr(buf_cstr(&errors), words)))
        fail_msg("%s: %d, \"%s\"", lines, rc, buf_cstr(&errors));
    assert_int_equal(errors.len > 0, words != NULL);
    conf_free(conf);
    buf_fini(&errors);
    tmpdir_remove(&dir);
}

#define SECRET "0123456789abcdef0123456789abcdef"

/* RFC 7518 §3.2: as long as the hash. */
static void one_key_and_a_long_one(void **state)
{
    expect("", NULL);
    expect("auth = worker\n", NULL);
    expect("auth = hmac\nauth_key = " SECRET "\n", NULL);
    expect("auth = jwt\nauth_key_file = somewhere\n", NULL); /* it is read elsewhere */
    expect("auth = jwt\n", "t.conf:3: [gateway t] auth: needs either auth_key or auth_key_file");
    expect("auth = hmac\nauth_key = " SECRET "\nauth_key_file = x\n", "needs either");
    expect("auth = hmac\nauth_key = 0123456789abcdef0123456789abcde\n",
           "t.conf:4: [gateway t] auth_key: at least 32 bytes");
    expect("auth = none\nauth_key = short\n", NULL); /* kept for when it is used */
}

static void places_are_looked_at_in_any_case(void **state)
{
    expect("auth_from = query:t\nauth_from = cookie:c\n", NULL);
    expect("auth_from = query:t\nauth_from = body:c\n",
           "write query:NAME, header:NAME or cookie:NAME");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_named),
        cmocka_unit_test(one_key_and_a_long_one),
        cmocka_unit_test(places_are_looked_at_in_any_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Subprotocols: what is chosen, what may be a name; takeover as the codec understands it. */
#include "gateway/ws_conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/http.h"

static const struct conf_item items[] = {{.text = "chat.v2"}, {.text = "chat.v1"}};
static const struct ws_conf conf = {.subprotocols = {.at = items, .len = ARRAY_LEN(items)}};

static struct http_request asking(const char *first, const char *second)
{
    struct http_request r = {0};
    const char *values[] = {first, second};
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        if (values[i])
            r.headers[r.headers_n++] = (struct http_header){
                .name = span_str("Sec-WebSocket-Protocol"), .value = span_str(values[i])};
    return r;
}

static void expect_choice(const char *first, const char *second, const char *choice)
{
    struct http_request r = asking(first, second);
    struct span got = ws_conf_choose(&conf, &r);
    if (!span_is(got, choice))
        fail_msg("of \"%s\": \"%.*s\" instead of \"%s\"", first, (int)got.len, (const char *)got.at,
                 choice);
}

static void the_clients_first_that_is_known(void **state)
{
    expect_choice(NULL, NULL, "");
    expect_choice("", NULL, "");
    expect_choice(", ,", NULL, "");
    expect_choice("chat.v1", NULL, "chat.v1");
    expect_choice("other , chat.v1,chat.v2", NULL, "chat.v1");
    expect_choice("other", "chat.v2", "chat.v2");
    expect_choice("CHAT.V1", NULL, ""); /* names are compared as they are */
    expect_choice("chat.v1x", NULL, "");
}

static void names_are_tokens(void **state)
{
    static const char *const good[] = {"chat", "v1.chat.example", "a-b_c~!"};
    static const char *const bad[] = {"", "a b", "a,b", "a;b", "a\"", "a/b", "\x7f", "\xc3\xa4"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(ws_subprotocol_is_valid(span_str(good[i])));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (ws_subprotocol_is_valid(span_str(bad[i])))
            fail_msg("\"%s\" is taken for a name", bad[i]);
}

static void expect_takeover(int takeover, bool keeps_ours, bool keeps_theirs)
{
    struct ws_conf wc = {.has_deflate = true,
                         .deflate_window_bits = 12,
                         .deflate_mem_level = 3,
                         .deflate_min_bytes = 77,
                         .deflate_takeover = takeover};
    struct ws_deflate *d = ws_conf_deflate(&wc);
    const struct ws_deflate_conf *c = ws_deflate_conf_of(d);
    assert_int_equal(c->keeps_ours, keeps_ours);
    assert_int_equal(c->keeps_theirs, keeps_theirs);
    assert_int_equal(c->window_bits, 12);
    assert_int_equal(c->mem_level, 3);
    assert_int_equal(c->min_bytes, 77);
    ws_deflate_free(d);
}

static void takeover_by_side(void **state)
{
    struct ws_conf off = {.has_deflate = false};
    assert_null(ws_conf_deflate(&off));
    expect_takeover(WS_TAKEOVER_NONE, false, false);
    expect_takeover(WS_TAKEOVER_CLIENT, false, true);
    expect_takeover(WS_TAKEOVER_SERVER, true, false);
    expect_takeover(WS_TAKEOVER_BOTH, true, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_clients_first_that_is_known),
        cmocka_unit_test(names_are_tokens),
        cmocka_unit_test(takeover_by_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

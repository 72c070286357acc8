/* JSON of commands: whose ids go where, names that cannot travel, and nothing half written. */
#include "client/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <gw/err.h>

#include "proto/client_id.h"

#define FIRST "7f00000108fc00000001"  /* 127.0.0.1:2300, connection 1 */
#define SECOND "7f00000108fc00000002" /* the same gateway */
#define OTHER "7f00000108fd00000003"  /* 127.0.0.1:2301 */
#define UPPER "7F00000108FC00000001"  /* FIRST again */

static const struct gateway_at at = {.ip = 0x7f000001, .port = 2300};

static struct buf out;

static int tear_down(void **state)
{
    buf_fini(&out);
    return 0;
}

static void check(const char *want)
{
    assert_string_equal(buf_cstr(&out), want);
}

static struct gw_bytes name_of(const char *text)
{
    return gw_bytes(text, strlen(text));
}

static void names_are_one_to_255_bytes(void **state)
{
    static char text[300];
    memset(text, 'x', sizeof(text));
    assert_int_equal(command_check_name(gw_bytes(text, 1)), 0);
    assert_int_equal(command_check_name(gw_bytes(text, 255)), 0);
    assert_int_equal(command_check_name(gw_bytes(text, 256)), GW_EBADNAME);
    assert_int_equal(command_check_name(gw_bytes(text, 0)), GW_EBADNAME);
    assert_int_equal(command_check_name(gw_bytes(NULL, 1)), GW_EBADNAME);
    assert_int_equal(command_check_name(gw_bytes("\0", 1)), 0); /* bytes, whatever they are */
}

/* As json_encode() writes them: vectors/gateway-client.json. */
static void names_in_a_list(void **state)
{
    const struct gw_bytes names[] = {name_of("a\"b/c"), name_of("\xc3\xa4"), gw_bytes("0\0", 2)};
    assert_int_equal(command_names(&out, names, 3), 0);
    check("[\"a\\\"b\\/c\",\"\\u00e4\",\"0\\u0000\"]");
    assert_int_equal(command_names(&out, names, 0), 0);
    check("[]");
    const struct gw_bytes latin[] = {name_of("a"), name_of("\xe4")};
    assert_int_equal(command_names(&out, latin, 2), GW_EUTF8);
    const struct gw_bytes empty[] = {name_of("")};
    assert_int_equal(command_names(&out, empty, 1), GW_EBADNAME);
    assert_int_equal(command_group(&out, latin, 2, at, NULL, 0), GW_EUTF8);
    assert_int_equal(command_select_group(&out, "\"uid\"", name_of("")), GW_EBADNAME);
}

/* Each gateway is told of its own clients only, of each once, and nonsense is passed over. */
static void ids_go_to_their_gateway(void **state)
{
    const struct gw_bytes group[] = {name_of("g")};
    const char *const ids[] = {OTHER, FIRST, "nonsense", UPPER, SECOND, FIRST, "", FIRST "0"};
    assert_int_equal(command_group(&out, group, 1, at, ids, 8), 0);
    check("{\"group\":[\"g\"],\"exclude\":{\"1\":1,\"2\":2}}");
    assert_int_equal(command_group(&out, group, 1, at, ids, 1), 0);
    check("{\"group\":[\"g\"],\"exclude\":null}");
    command_exclude(&out, at, ids, 8);
    check("{\"exclude\":{\"1\":1,\"2\":2}}");
    command_exclude(&out, at, ids, 1);
    check("");
    command_exclude(&out, at, NULL, 0);
    check("");
}

/* Whom one list names and the other excludes gets nothing, in any case of letters. */
static void who_is_excluded_is_not_among_the_chosen(void **state)
{
    const char *const only[] = {FIRST, SECOND, OTHER}, *const but[] = {UPPER},
                      *const all[] = {FIRST, SECOND};
    struct gw_send how = {.only_ids = only, .only_n = 3};
    command_connections(&out, at, &how);
    check("{\"connections\":{\"1\":1,\"2\":2}}");
    how.exclude_ids = but;
    how.exclude_n = 1;
    command_connections(&out, at, &how);
    check("{\"connections\":{\"2\":2}}");
    how.exclude_ids = all;
    how.exclude_n = 2;
    command_connections(&out, at, &how);
    check("");
}

/* Beyond so many a repeated id is not looked for: it means the same. */
static void long_lists_are_not_searched(void **state)
{
    enum { N = 257 };
    const char *ids[N];
    for (size_t i = 0; i < N; i++)
        ids[i] = FIRST;
    command_exclude(&out, at, ids, N - 1);
    check("{\"exclude\":{\"1\":1}}");
    command_exclude(&out, at, ids, N);
    assert_int_equal(out.len, strlen("{\"exclude\":{}}") + N * strlen("\"1\":1,") - 1);
}

static void a_worker_offers_what_it_can(void **state)
{
    assert_int_equal(command_put_worker_connect(&out, "w:0", "k\"", 0), 0);
    check("{\"worker_key\":\"w:0\",\"secret_key\":\"k\\\"\"}");
    buf_clear(&out);
    assert_int_equal(command_put_worker_connect(&out, "w", "",
                                                WORKER_OFFERS_OURS | WORKER_OFFERS_TO_JUDGE |
                                                    WORKER_SKIPS_REQUESTS | WORKER_OFFERS_TO_HEAR),
                     0);
    check("{\"worker_key\":\"w\",\"secret_key\":\"\",\"judge\":1,\"no_requests\":1,\"buffers\":1,"
          "\"gatehouse\":1,\"interest\":1}");
    buf_clear(&out);
    assert_int_equal(command_put_worker_connect(&out, "\xff", "", 0), GW_EUTF8);
    buf_clear(&out);
    assert_int_equal(command_put_worker_connect(&out, "w", "\xff", 0), GW_EUTF8);
}

/* A secret that JSON cannot carry travels as PHP sends it: with no body, which is refused. */
static void a_greeting_with_a_bad_secret_is_empty(void **state)
{
    struct wire_packet p;
    command_put_offer(&out, "\xff");
    assert_int_equal(wire_decode(buf_span(&out), SIZE_MAX, &p), WIRE_HEAD);
    assert_int_equal(p.cmd, CMD_GATEWAY_CLIENT_CONNECT);
    assert_int_equal(p.body.len, 0);
    buf_clear(&out);
    command_put_link_offer(&out, "s");
    assert_int_equal(wire_decode(buf_span(&out), SIZE_MAX, &p), out.len);
    assert_true(
        span_is(p.body, "{\"secret_key\":\"s\",\"gatehouse\":1,\"packets\":1,\"interest\":1}"));
}

#define COMMAND_TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        COMMAND_TEST(names_are_one_to_255_bytes),
        COMMAND_TEST(names_in_a_list),
        COMMAND_TEST(ids_go_to_their_gateway),
        COMMAND_TEST(who_is_excluded_is_not_among_the_chosen),
        COMMAND_TEST(long_lists_are_not_searched),
        COMMAND_TEST(a_worker_offers_what_it_can),
        COMMAND_TEST(a_greeting_with_a_bad_secret_is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

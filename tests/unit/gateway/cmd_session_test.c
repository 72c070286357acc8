/* Sessions by command: replaced, merged or left alone, and what is answered of whom. */
#include "command_fixture.h"

static void check_session(const struct commands *s, const char *want)
{
    struct span got = client_session(clients_find(&s->g->clients, 1));
    if (!span_is(got, want))
        fail_msg("%.*s instead of %s", (int)got.len, (const char *)got.at, want);
}

/* vectors/session-merge.json: keys of the update win, the others stay where they are. */
static void updates_are_merged(void **state)
{
    struct commands s;
    commands_begin(&s, "");
    commands_client(&s);
    commands_tell(&s, CMD_SET_SESSION, 1, "a:2:{s:1:\"a\";i:1;s:1:\"b\";i:2;}");
    commands_tell(&s, CMD_UPDATE_SESSION, 1, "a:2:{s:1:\"c\";i:3;s:1:\"a\";i:9;}");
    check_session(&s, "a:3:{s:1:\"a\";i:9;s:1:\"b\";i:2;s:1:\"c\";i:3;}");
    commands_tell(&s, CMD_UPDATE_SESSION, 1, "a:0:{}");
    check_session(&s, "a:3:{s:1:\"a\";i:9;s:1:\"b\";i:2;s:1:\"c\";i:3;}");
    commands_end(&s);
}

/* PHP's empty(): "" and "0" are replaced without a look at the update. */
static void an_empty_one_becomes_the_update(void **state)
{
    struct commands s;
    commands_begin(&s, "");
    commands_client(&s);
    commands_tell(&s, CMD_UPDATE_SESSION, 1, "not serialized");
    check_session(&s, "not serialized");
    commands_tell(&s, CMD_SET_SESSION, 1, "0");
    commands_tell(&s, CMD_UPDATE_SESSION, 1, "a:1:{i:0;i:1;}");
    check_session(&s, "a:1:{i:0;i:1;}");
    commands_end(&s);
}

static void a_broken_update_changes_nothing(void **state)
{
    static const char *const broken[] = {"",           "a:1:{i:0;i:1;",         "i:5;",
                                         "s:1:\"a\";", "O:8:\"stdClass\":0:{}", "a:1:{i:0;r:1;}"};
    static const char old[] = "a:1:{i:0;i:1;}";
    struct commands s;
    commands_begin(&s, "");
    commands_client(&s);
    commands_tell(&s, CMD_SET_SESSION, 1, old);
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        commands_tell(&s, CMD_UPDATE_SESSION, 1, broken[i]);
        check_session(&s, old);
    }
    commands_tell(&s, CMD_SET_SESSION, 1, "what PHP did not write");
    commands_tell(&s, CMD_UPDATE_SESSION, 1, old);
    check_session(&s, "what PHP did not write");
    commands_end(&s);
}

/* A session of so many bytes, as a worker sets it. */
static void set_session_of(const struct commands *s, size_t len)
{
    uint8_t packet[WIRE_HEAD + 2048];
    char text[2048];
    memset(text, 'x', sizeof(text));
    struct wire_packet p = {
        .cmd = CMD_SET_SESSION, .flag = WIRE_SCALAR, .connection_id = 1, .ext = span_of(text, len)};
    wire_encode(packet, &p);
    put(s->worker, packet, wire_size(&p));
    turn(&s->b, 4);
}

static size_t session_len(const struct commands *s)
{
    return client_session(clients_find(&s->g->clients, 1)).len;
}

/* Also of what two that fit become together. */
static void the_limit_is_for_what_is_kept(void **state)
{
    char update[500];
    struct commands s;
    commands_begin(&s, "max_session_bytes = 1k");
    commands_client(&s);
    set_session_of(&s, 1025);
    assert_int_equal(session_len(&s), 0);
    set_session_of(&s, 1024);
    assert_int_equal(session_len(&s), 1024);
    commands_tell(&s, CMD_SET_SESSION, 1, "a:0:{}");
    for (int i = 0; i < 4; i++) {
        snprintf(update, sizeof(update), "a:1:{i:%d;s:300:\"%0300d\";}", i, i);
        commands_tell(&s, CMD_UPDATE_SESSION, 1, update);
    }
    assert_int_equal(session_len(&s), 6 + 3 * 313); /* the fourth found no room */
    commands_end(&s);
}

static void nobody_and_nothing_are_told_apart(void **state)
{
    struct commands s;
    commands_begin(&s, "");
    commands_client(&s);
    commands_ask(&s, CMD_GET_SESSION_BY_CLIENT_ID, 1, "", "a:0:{}");
    commands_ask(&s, CMD_GET_SESSION_BY_CLIENT_ID, 2, "", "N;");
    commands_tell(&s, CMD_SET_SESSION, 2, "a:1:{i:0;i:1;}");
    commands_tell(&s, CMD_UPDATE_SESSION, 2, "a:1:{i:0;i:1;}");
    commands_ask(&s, CMD_GET_SESSION_BY_CLIENT_ID, 2, "", "N;");
    commands_tell(&s, CMD_SET_SESSION, 1, "0");
    commands_ask(&s, CMD_GET_SESSION_BY_CLIENT_ID, 1, "", "a:0:{}");
    commands_tell(&s, CMD_SET_SESSION, 1, "x");
    commands_ask(&s, CMD_GET_SESSION_BY_CLIENT_ID, 1, "", "x");
    commands_tell(&s, CMD_SET_SESSION, 1, "");
    commands_ask(&s, CMD_GET_SESSION_BY_CLIENT_ID, 1, "", "a:0:{}");
    commands_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(updates_are_merged),
        cmocka_unit_test(an_empty_one_becomes_the_update),
        cmocka_unit_test(a_broken_update_changes_nothing),
        cmocka_unit_test(the_limit_is_for_what_is_kept),
        cmocka_unit_test(nobody_and_nothing_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

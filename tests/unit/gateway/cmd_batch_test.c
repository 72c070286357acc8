/* Questions about many names: an entry per name, once, in the order asked. */
#include "command_fixture.h"

static void begin(struct commands *s)
{
    commands_begin(s, "");
    for (int i = 0; i < 3; i++) {
        struct client *c = commands_client(s);
        groups_join(&s->g->groups, c, span_str(i == 2 ? "b" : "a"));
        groups_join(&s->g->uids, c, span_str(i == 2 ? "5" : "tom"));
    }
}

static void names_are_answered_once_in_order(void **state)
{
    struct commands s;
    begin(&s);
    commands_ask(&s, CMD_BATCH_GET_CLIENT_COUNT_BY_GROUP, 0, "[\"b\",\"none\",\"a\",\"b\"]",
                 "a:3:{s:1:\"b\";i:1;s:4:\"none\";i:0;s:1:\"a\";i:2;}");
    commands_ask(&s, CMD_BATCH_GET_CLIENT_ID_BY_UID, 0, "[\"tom\",5,\"none\",\"5\",\"tom\"]",
                 "a:3:{s:3:\"tom\";a:2:{i:0;i:1;i:1;i:2;}i:5;a:1:{i:0;i:3;}s:4:\"none\";a:0:{}}");
    commands_ask(&s, CMD_BATCH_GET_CLIENT_COUNT_BY_GROUP, 0, "{\"x\":\"a\",\"y\":\"b\"}",
                 "a:2:{s:1:\"a\";i:2;s:1:\"b\";i:1;}");
    commands_end(&s);
}

static void what_is_no_list_has_no_names(void **state)
{
    static const char *const none[] = {"", "5", "\"a\"", "null", "[", "[]", "{}"};
    struct commands s;
    begin(&s);
    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        commands_ask(&s, CMD_BATCH_GET_CLIENT_COUNT_BY_GROUP, 0, none[i], "a:0:{}");
        commands_ask(&s, CMD_BATCH_GET_CLIENT_ID_BY_UID, 0, none[i], "a:0:{}");
    }
    commands_end(&s);
}

/* A list among the names: no value can be given, and the next question is answered as ever. */
static void a_list_among_the_names_is_refused(void **state)
{
    struct commands s;
    begin(&s);
    commands_ask_in_vain(&s, CMD_BATCH_GET_CLIENT_COUNT_BY_GROUP, "[\"a\",[\"b\"]]");
    commands_ask_in_vain(&s, CMD_BATCH_GET_CLIENT_ID_BY_UID, "[[]]");
    commands_ask(&s, CMD_BATCH_GET_CLIENT_COUNT_BY_GROUP, 0, "[\"a\"]", "a:1:{s:1:\"a\";i:2;}");
    commands_end(&s);
}

/* One uid of many clients is collected before it is counted: what stands around it stays right. */
static void long_lists_stand_among_short_ones(void **state)
{
    enum { MANY = 200 };
    struct commands s;
    struct buf want = {0};
    begin(&s);
    for (int i = 0; i < MANY; i++)
        groups_join(&s.g->uids, commands_client(&s), span_str("crowd"));
    buf_printf(&want, "a:3:{i:5;a:1:{i:0;i:3;}s:5:\"crowd\";a:%d:{", MANY);
    for (int i = 0; i < MANY; i++)
        buf_printf(&want, "i:%d;i:%d;", i, i + 4);
    buf_puts(&want, "}s:3:\"tom\";a:2:{i:0;i:1;i:1;i:2;}}");
    commands_ask(&s, CMD_BATCH_GET_CLIENT_ID_BY_UID, 0, "[\"5\",\"crowd\",\"tom\",\"crowd\"]",
                 buf_cstr(&want));
    buf_fini(&want);
    commands_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_answered_once_in_order),
        cmocka_unit_test(what_is_no_list_has_no_names),
        cmocka_unit_test(a_list_among_the_names_is_refused),
        cmocka_unit_test(long_lists_stand_among_short_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

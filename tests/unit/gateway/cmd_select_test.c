/* CMD_SELECT: which fields, whose rows, each once, and questions that make no sense. */
#include "command_fixture.h"

static void ask(const struct commands *s, const char *question, const char *want)
{
    commands_ask(s, CMD_SELECT, 0, question, want);
}

/* Three clients: 1 in "a" as "tom", 2 in "a" and "b" as "ann", 3 alone. */
static void begin(struct commands *s)
{
    commands_begin(s, "");
    for (uint32_t id = 1; id <= 3; id++) {
        struct client *c = commands_client(s);
        c->had_groups = id < 3;
        assert_int_equal(client_set_session(c, span_str(id == 1 ? "x" : "")), 0);
    }
    struct client *tom = clients_find(&s->g->clients, 1), *ann = clients_find(&s->g->clients, 2);
    groups_join(&s->g->groups, tom, span_str("a"));
    groups_join(&s->g->groups, ann, span_str("b"));
    groups_join(&s->g->groups, ann, span_str("a"));
    groups_join(&s->g->uids, tom, span_str("tom"));
    groups_join(&s->g->uids, ann, span_str("7"));
}

static void fields_come_as_they_were_asked_for(void **state)
{
    struct commands s;
    begin(&s);
    ask(&s, "{\"fields\":[\"uid\",\"session\",\"uid\"],\"where\":{\"connection_id\":[1]}}",
        "a:1:{i:1;a:2:{s:3:\"uid\";s:3:\"tom\";s:7:\"session\";s:1:\"x\";}}");
    ask(&s, "{\"fields\":[\"groups\"],\"where\":{\"connection_id\":[2]}}",
        "a:1:{i:2;a:1:{s:6:\"groups\";a:2:{s:1:\"b\";s:1:\"b\";s:1:\"a\";s:1:\"a\";}}}");
    ask(&s,
        "{\"fields\":[\"groups\",\"uid\",\"session\",\"color\"],\"where\":{\"connection_id\":[3]}}",
        "a:1:{i:3;a:4:{s:6:\"groups\";N;s:3:\"uid\";N;s:7:\"session\";s:0:\"\";s:5:\"color\";N;}}");
    commands_end(&s);
}

static void conditions_are_a_union(void **state)
{
    static const char both[] = "a:2:{i:1;a:1:{s:1:\"x\";N;}i:2;a:1:{s:1:\"x\";N;}}";
    struct commands s;
    begin(&s);
    ask(&s, "{\"fields\":[\"x\"],\"where\":{\"groups\":[\"a\",\"b\",\"a\",\"none\"]}}", both);
    ask(&s,
        "{\"fields\":[\"x\"],\"where\":{\"uid\":[\"tom\"],\"groups\":[\"a\"],\"connection_id\":[1]}"
        "}",
        both);
    ask(&s, "{\"fields\":[\"x\"],\"where\":{\"uid\":[7]}}", "a:1:{i:2;a:1:{s:1:\"x\";N;}}");
    ask(&s, "{\"fields\":[\"x\"],\"where\":{\"connection_id\":[\"1\",1,2,9]}}", both);
    commands_end(&s);
}

static void without_a_condition_everybody_is_meant(void **state)
{
    static const char *const everybody[] = {"{\"fields\":[\"x\"]}",
                                            "{\"fields\":[\"x\"],\"where\":null}",
                                            "{\"fields\":[\"x\"],\"where\":{}}"};
    struct commands s;
    begin(&s);
    for (size_t i = 0; i < ARRAY_LEN(everybody); i++)
        ask(&s, everybody[i],
            "a:3:{i:1;a:1:{s:1:\"x\";N;}i:2;a:1:{s:1:\"x\";N;}i:3;a:1:{s:1:\"x\";N;}}");
    commands_end(&s);
}

static void what_makes_no_sense_names_nobody(void **state)
{
    static const char *const nobody[] = {
        "",
        "x",
        "1",
        "[]",
        "{}",
        "{\"fields\":[]}",
        "{\"fields\":\"uid\"}",
        "{\"fields\":[[\"uid\"]]}",
        "{\"fields\":[\"x\"],\"where\":5}",
        "{\"fields\":[\"x\"],\"where\":{\"groups\":\"a\"}}",
        "{\"fields\":[\"x\"],\"where\":{\"groups\":[[\"a\"],null]}}",
        "{\"fields\":[\"x\"],\"where\":{\"color\":[\"a\"]}}",
        "{\"fields\":[\"x\"],\"where\":[[1]]}",
        "{\"fields\":[\"x\"],\"where\":{\"connection_id\":[4294967297]}}"};
    struct commands s;
    begin(&s);
    for (size_t i = 0; i < ARRAY_LEN(nobody); i++)
        ask(&s, nobody[i], "a:0:{}");
    commands_end(&s);
}

/* Sixteen at most; more would only make rows longer. */
static void the_number_of_fields_is_bounded(void **state)
{
    struct commands s;
    struct buf question = {0}, want = {0};
    begin(&s);
    buf_puts(&question, "{\"fields\":[");
    buf_puts(&want, "a:1:{i:1;a:16:{");
    for (int i = 0; i < 20; i++) {
        buf_printf(&question, "%s\"f%02d\"", i ? "," : "", i);
        if (i < 16)
            buf_printf(&want, "s:3:\"f%02d\";N;", i);
    }
    buf_puts(&question, "],\"where\":{\"connection_id\":[1]}}");
    buf_puts(&want, "}}");
    ask(&s, buf_cstr(&question), buf_cstr(&want));
    buf_fini(&question);
    buf_fini(&want);
    commands_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_come_as_they_were_asked_for),
        cmocka_unit_test(conditions_are_a_union),
        cmocka_unit_test(without_a_condition_everybody_is_meant),
        cmocka_unit_test(what_makes_no_sense_names_nobody),
        cmocka_unit_test(the_number_of_fields_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

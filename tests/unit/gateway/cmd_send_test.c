/* Sends by command: bodies that are messages and bodies that are none, who is reached, farewells.
 */
#include "command_fixture.h"

struct scene {
    struct commands c;
    int clients[2]; /* with ids 1 and 2 */
};

static void begin(struct scene *s)
{
    commands_begin(&s->c, "");
    for (int i = 0; i < 2; i++) {
        s->clients[i] = dial(&s->c.b, 0);
        take_packet(&s->c.b, s->c.worker, CMD_ON_CONNECT);
    }
}

static void end(struct scene *s)
{
    for (int i = 0; i < 2; i++)
        close(s->clients[i]);
    close(s->c.worker);
    bench_end(&s->c.b);
}

static void tell(const struct scene *s, int cmd, uint8_t flag, uint32_t id, const char *ext,
                 const char *body)
{
    put_packet(s->c.worker, &(struct wire_packet){.cmd = (uint8_t)cmd,
                                                  .flag = flag,
                                                  .connection_id = id,
                                                  .ext = span_str(ext),
                                                  .body = span_str(body)});
}

static void gets(const struct scene *s, int i, const char *want)
{
    uint8_t line[256];
    assert_in_range(strlen(want), 1, sizeof(line));
    take(&s->c.b, s->clients[i], line, strlen(want));
    assert_memory_equal(line, want, strlen(want));
}

static void gets_nothing(const struct scene *s, int i)
{
    uint8_t byte;
    turn(&s->c.b, 4);
    assert_int_equal(recv(s->clients[i], &byte, 1, MSG_DONTWAIT), -1);
}

/* How many the last send was for. */
static void reached(const struct scene *s, const char *want)
{
    commands_ask(&s->c, CMD_RECEIPT, 0, "", want);
}

/* gateway-edge-cases.json: strings as they are, arrays and null as JSON. */
static void serialized_bodies_are_read(void **state)
{
    struct scene s;
    begin(&s);
    tell(&s, CMD_SEND_TO_ONE, 0, 1, "", "s:3:\"a\"b\";");
    gets(&s, 0, "a\"b\n");
    tell(&s, CMD_SEND_TO_ONE, 0, 1, "", "a:1:{s:1:\"k\";a:2:{i:0;i:1;i:1;N;}}");
    gets(&s, 0, "{\"k\":[1,null]}\n");
    tell(&s, CMD_SEND_TO_ONE, 0, 1, "", "N;");
    gets(&s, 0, "null\n");
    tell(&s, CMD_SEND_TO_ONE, WIRE_RAW, 1, "", "s:1:\"x\";"); /* sent as it is: without an end */
    gets(&s, 0, "x");
    reached(&s, "i:1;");
    end(&s);
}

/* What kills the original is passed over here, and nobody is said to be reached. */
static void what_is_no_message_reaches_nobody(void **state)
{
    static const char *const bad[] = {"",
                                      "i:5;",
                                      "b:1;",
                                      "d:0.5;",
                                      "O:8:\"stdClass\":0:{}",
                                      "s:9:\"a\";",
                                      "a:1:{i:0;s:1:\"\xff\";}"};
    static const char all[] = "{\"exclude\":null}";
    struct scene s;
    begin(&s);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        tell(&s, CMD_SEND_TO_ONE, WIRE_SCALAR, 1, "", "x");
        gets(&s, 0, "x\n");
        tell(&s, CMD_SEND_TO_ONE, 0, 1, "", bad[i]);
        reached(&s, "i:0;");
        tell(&s, CMD_SEND_TO_ALL, 0, 0, all, bad[i]);
        reached(&s, "i:0;");
    }
    tell(&s, CMD_SEND_TO_ONE, WIRE_RAW, 1, "", "a:0:{}"); /* as it is: there is no such thing */
    reached(&s, "i:0;");
    gets_nothing(&s, 0);
    end(&s);
}

static void who_is_excluded_gets_nothing_and_is_not_marked_for_ever(void **state)
{
    struct scene s;
    begin(&s);
    tell(&s, CMD_SEND_TO_ALL, WIRE_SCALAR, 0, "{\"exclude\":{\"1\":1,\"99\":99}}", "a");
    reached(&s, "i:1;");
    gets(&s, 1, "a\n");
    tell(&s, CMD_SEND_TO_ALL, WIRE_SCALAR, 0, "", "b");
    reached(&s, "i:2;");
    gets(&s, 0, "b\n");
    gets(&s, 1, "b\n");
    tell(&s, CMD_SEND_TO_ALL, WIRE_SCALAR, 0, "{\"connections\":{\"2\":2,\"99\":99}}", "c");
    reached(&s, "i:1;");
    gets(&s, 1, "c\n");
    gets_nothing(&s, 0);
    end(&s);
}

/* Two groups of one client: it gets the message for each, as in the original. */
static void groups_and_uids_reach_their_members(void **state)
{
    struct scene s;
    begin(&s);
    for (uint32_t id = 1; id <= 2; id++) {
        tell(&s, CMD_JOIN_GROUP, WIRE_SCALAR, id, "a", "");
        tell(&s, CMD_BIND_UID, WIRE_SCALAR, id, id == 1 ? "tom" : "7", "");
    }
    tell(&s, CMD_SEND_TO_GROUP, WIRE_SCALAR, 0, "{\"group\":[\"a\",\"none\"],\"exclude\":null}",
         "x");
    reached(&s, "i:2;");
    tell(&s, CMD_SEND_TO_UID, WIRE_SCALAR, 0, "[\"7\",\"nobody\"]", "y");
    reached(&s, "i:1;");
    gets(&s, 0, "x\n");
    gets(&s, 1, "x\ny\n");
    end(&s);
}

/* The farewell leaves first; for workers the client is gone at once. */
static void a_kick_says_its_farewell(void **state)
{
    struct scene s;
    begin(&s);
    tell(&s, CMD_KICK, WIRE_SCALAR | WIRE_RAW, 1, "", "bye"); /* framed all the same */
    assert_int_equal(take_packet(&s.c.b, s.c.worker, CMD_ON_CLOSE).connection_id, 1);
    commands_ask(&s.c, CMD_IS_ONLINE, 1, "", "i:0;");
    gets(&s, 0, "bye\n");
    turn_until_closed(&s.c.b, s.clients[0]);
    tell(&s, CMD_KICK, WIRE_SCALAR, 1, "", "again"); /* nobody */
    tell(&s, CMD_KICK, 0, 2, "", "N;");              /* no farewell */
    assert_int_equal(take_packet(&s.c.b, s.c.worker, CMD_ON_CLOSE).connection_id, 2);
    turn_until_closed(&s.c.b, s.clients[1]);
    end(&s);
}

static void one_that_is_destroyed_is_told_nothing(void **state)
{
    struct scene s;
    begin(&s);
    tell(&s, CMD_SEND_TO_ONE, WIRE_SCALAR, 1, "", "lost");
    tell(&s, CMD_DESTROY, WIRE_SCALAR, 1, "", "");
    assert_int_equal(take_packet(&s.c.b, s.c.worker, CMD_ON_CLOSE).connection_id, 1);
    turn_until_closed(&s.c.b, s.clients[0]);
    commands_ask(&s.c, CMD_IS_ONLINE, 1, "", "i:0;");
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serialized_bodies_are_read),
        cmocka_unit_test(what_is_no_message_reaches_nobody),
        cmocka_unit_test(who_is_excluded_gets_nothing_and_is_not_marked_for_ever),
        cmocka_unit_test(groups_and_uids_reach_their_members),
        cmocka_unit_test(a_kick_says_its_farewell),
        cmocka_unit_test(one_that_is_destroyed_is_told_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

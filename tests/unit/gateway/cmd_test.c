/* The table of commands: who may say what, and that no packet of any number does harm. */
#include "gateway/cmd.h"

#include "command_fixture.h"

/* Alive: the link still answers a question. */
static void check_alive(const struct commands *s)
{
    commands_ask(s, CMD_IS_ONLINE, 77, "", "i:0;");
}

static void unknown_commands_are_passed_over(void **state)
{
    struct commands s;
    commands_begin(&s, "");
    for (int cmd = 0; cmd <= UINT8_MAX; cmd++)
        if (strcmp(wire_cmd_name((uint8_t)cmd), "unknown") == 0)
            put_cmd(s.worker, cmd, 1, span_str("x"), span_str("y"));
    check_alive(&s);
    commands_end(&s);
}

/* What a gateway says to workers means nothing when a worker says it. */
static void our_own_words_are_no_commands(void **state)
{
    static const int events[] = {CMD_ON_CONNECT, CMD_ON_MESSAGE,     CMD_ON_CLOSE,
                                 CMD_HELLO,      CMD_DRAIN_MARK,     CMD_REPLY,
                                 CMD_INTEREST,   CMD_ON_BUFFER_FULL, CMD_ON_WEBSOCKET_CONNECT};
    struct commands s;
    commands_begin(&s, "");
    for (size_t i = 0; i < ARRAY_LEN(events); i++)
        put_cmd(s.worker, events[i], 1, span_str("x"), span_str("y"));
    check_alive(&s);
    commands_end(&s);
}

/* Every command about a client that is not here, with nothing and with nonsense in it. */
static void nobody_is_as_good_as_somebody(void **state)
{
    static const int cmds[] = {
        CMD_SEND_TO_ONE, CMD_KICK,           CMD_DESTROY,     CMD_BIND_UID,
        CMD_UNBIND_UID,  CMD_JOIN_GROUP,     CMD_LEAVE_GROUP, CMD_UNGROUP,
        CMD_SET_SESSION, CMD_UPDATE_SESSION, CMD_RELEASE,     CMD_JUDGE,
        CMD_FINISHED,    CMD_SEND_TO_ALL,    CMD_SEND_TO_UID, CMD_SEND_TO_GROUP};
    static const char *const texts[] = {"", "x", "[", "{\"group\":5}", "a:1:{"};
    struct commands s;
    commands_begin(&s, "");
    for (size_t i = 0; i < ARRAY_LEN(cmds); i++)
        for (size_t k = 0; k < ARRAY_LEN(texts); k++)
            for (uint8_t flag = 0; flag <= (WIRE_SCALAR | WIRE_RAW); flag++)
                put_packet(s.worker, &(struct wire_packet){.cmd = (uint8_t)cmds[i],
                                                           .flag = flag,
                                                           .connection_id = 123,
                                                           .ext = span_str(texts[k]),
                                                           .body = span_str(texts[k])});
    check_alive(&s);
    assert_int_equal(groups_len(&s.g->groups) + groups_len(&s.g->uids), 0);
    commands_end(&s);
}

static int attach_library(const struct commands *s, const char *greeting)
{
    int fd = dial(&s->b, 1);
    put_packet(fd, &(struct wire_packet){.cmd = CMD_GATEWAY_CLIENT_CONNECT,
                                         .flag = WIRE_SCALAR,
                                         .body = span_str(greeting)});
    return fd;
}

/* Plain answers: their length and a serialized value. */
static void take_plain(const struct commands *s, int fd, const char *want)
{
    uint8_t bytes[64];
    take(&s->b, fd, bytes, 4);
    assert_int_equal(get_u32be(bytes), strlen(want));
    take(&s->b, fd, bytes, strlen(want));
    assert_memory_equal(bytes, want, strlen(want));
}

/* A library of the original's that says what is ours gets no answer to it, so that its next one is
 * the right one. */
static void extensions_need_an_offer(void **state)
{
    static const int ours[] = {CMD_RECEIPT, CMD_DRAIN, CMD_DRAINED, CMD_DONE, CMD_JUDGE, CMD_PING};
    struct commands s;
    commands_begin(&s, "");
    int fd = attach_library(&s, "{\"secret_key\":\"\"}");
    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        put_cmd(fd, ours[i], 1, span_of(NULL, 0), span_of(NULL, 0));
    put_cmd(fd, CMD_IS_ONLINE, 1, span_of(NULL, 0), span_of(NULL, 0));
    take_plain(&s, fd, "i:0;");
    close(fd);
    commands_end(&s);
}

/* It offered them, but it is no worker: nothing is drained or done. */
static void a_library_is_no_worker(void **state)
{
    static const int workers[] = {CMD_DRAIN, CMD_DRAINED, CMD_RELEASE, CMD_DONE, CMD_JUDGE};
    struct commands s;
    commands_begin(&s, "");
    int fd = attach_library(&s, "{\"secret_key\":\"\",\"gatehouse\":1}");
    take_packet(&s.b, fd, CMD_HELLO);
    for (size_t i = 0; i < ARRAY_LEN(workers); i++)
        put_cmd(fd, workers[i], 1, span_of(NULL, 0), span_of(NULL, 0));
    put_cmd(fd, CMD_RECEIPT, 0, span_of(NULL, 0), span_of(NULL, 0));
    take_plain(&s, fd, "i:0;");
    close(fd);
    commands_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_commands_are_passed_over),
        cmocka_unit_test(our_own_words_are_no_commands),
        cmocka_unit_test(nobody_is_as_good_as_somebody),
        cmocka_unit_test(extensions_need_an_offer),
        cmocka_unit_test(a_library_is_no_worker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Greetings: which key is right, what is agreed, and what a worker is called. */
#include "command_fixture.h"

static void refused(const struct gateway_bench *b, const char *greeting, uint8_t flag)
{
    static const uint8_t cmds[] = {CMD_WORKER_CONNECT, CMD_GATEWAY_CLIENT_CONNECT};
    for (size_t i = 0; i < ARRAY_LEN(cmds); i++) {
        int fd = dial(b, 1);
        put_packet(fd,
                   &(struct wire_packet){.cmd = cmds[i], .flag = flag, .body = span_str(greeting)});
        turn_until_closed(b, fd);
        close(fd);
    }
}

/* gateway-edge-cases.json worker_connect_no_secret: it must be there, and text. */
static void the_key_is_text_and_right(void **state)
{
    static const char *const bad[] = {"",
                                      "{",
                                      "5",
                                      "[]",
                                      "{\"worker_key\":\"w\"}",
                                      "{\"secret_key\":null}",
                                      "{\"secret_key\":true}",
                                      "{\"secret_key\":[\"12\"]}",
                                      "{\"secret_key\":12}",
                                      "{\"secret_key\":\"\"}",
                                      "{\"secret_key\":\"1\"}",
                                      "{\"secret_key\":\"123\"}",
                                      "{\"secret_key\":\"12\\u0000\"}"};
    struct gateway_bench b;
    bench_start(&b, "secret_key = 12");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        refused(&b, bad[i], WIRE_SCALAR);
    refused(&b, "a:1:{s:10:\"secret_key\";s:2:\"12\";}", 0); /* JSON only */
    int fd = attach_as(&b, "{\"secret_key\":\"12\",\"gatehouse\":1}");
    take_packet(&b, fd, CMD_HELLO);
    close(fd);
    bench_end(&b);
}

static const struct worker *only_worker(const struct gateway_bench *b)
{
    struct gateway *g = b->self;
    assert_int_equal(workers_len(&g->route.workers), 1);
    return workers_at(&g->route.workers, 0);
}

static void check_key(const char *worker_key, const char *want)
{
    char greeting[500];
    struct gateway_bench b;
    bench_start(&b, "");
    snprintf(greeting, sizeof(greeting), "{\"secret_key\":\"\"%s}", worker_key);
    int fd = attach_as(&b, greeting);
    turn(&b, 4);
    assert_string_equal(only_worker(&b)->key, want);
    close(fd);
    bench_end(&b);
}

/* The key is what tells two workers apart, so it must be something, and not too long. */
static void workers_are_called_by_address_and_key(void **state)
{
    char key[400], want[300];
    check_key("", "127.0.0.1:");
    check_key(",\"worker_key\":5", "127.0.0.1:");
    check_key(",\"worker_key\":\"chat:0\"", "127.0.0.1:chat:0");
    check_key(",\"worker_key\":\"a\\u0000b\"", "127.0.0.1:a");
    snprintf(key, sizeof(key), ",\"worker_key\":\"%0300d\"", 0);
    snprintf(want, sizeof(want), "127.0.0.1:%0255d", 0);
    check_key(key, want);
}

/* What a worker offers counts only together with our extensions. */
static void offers_need_ours(void **state)
{
    struct gateway_bench b;
    bench_start(&b, "");
    int fd = attach_as(&b, "{\"worker_key\":\"w\",\"secret_key\":\"\",\"judge\":1,\"buffers\":1,"
                           "\"no_requests\":1,\"interest\":1}");
    turn(&b, 4);
    const struct worker *w = only_worker(&b);
    assert_false(w->speaks_ours || w->has_judge || w->hears_buffers || w->skips_requests);
    close(fd);
    turn(&b, 4);
    fd = attach_as(&b, "{\"worker_key\":\"w\",\"secret_key\":\"\",\"judge\":1,\"buffers\":0,"
                       "\"no_requests\":\"1\",\"gatehouse\":1}");
    take_packet(&b, fd, CMD_HELLO);
    w = only_worker(&b);
    assert_true(w->speaks_ours && w->has_judge);
    assert_false(w->hears_buffers || w->skips_requests);
    close(fd);
    bench_end(&b);
}

/* A second greeting on a link changes nothing; a count that is cut is a broken peer. */
static void a_link_is_one_worker(void **state)
{
    struct commands s;
    commands_begin(&s, "");
    put_packet(s.worker, &(struct wire_packet){
                             .cmd = CMD_WORKER_CONNECT,
                             .flag = WIRE_SCALAR,
                             .body = span_str("{\"worker_key\":\"z\",\"secret_key\":\"\"}")});
    commands_ask(&s, CMD_IS_ONLINE, 1, "", "i:0;");
    assert_string_equal(only_worker(&s.b)->key, "127.0.0.1:w:0");
    put_cmd(s.worker, CMD_DONE, 0, span_of(NULL, 0), span_str("123"));
    turn_until_closed(&s.b, s.worker);
    commands_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_key_is_text_and_right),
        cmocka_unit_test(workers_are_called_by_address_and_key),
        cmocka_unit_test(offers_need_ours),
        cmocka_unit_test(a_link_is_one_worker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Plain questions to a gateway of the original: answers in order, and what ends the connection. */
#include "mesh/asker.h"

#include "unit/mesh/mesh_fixture.h"

enum { IDLE_MS = 50 * 1000 };

static struct mesh_bench bench;
static struct far_end gateway;
static struct asker *asker;

static void begin(const char *secret)
{
    bench_open(&bench);
    gateway = far_end_open();
    asker = asker_new(bench.conns, far_end_at(&gateway), gateway.address, secret, NULL);
}

static int end(void **state)
{
    asker_free(asker);
    asker_free(NULL);
    bench_close(&bench);
    if (gateway.listener >= 0)
        close(gateway.listener);
    return 0;
}

/* A callback with one question, and a number that its answer tells. */
struct asking {
    uint32_t id;
    struct fanout_target target;
    bool is_done;
};

static void ask_and_wait(void *arg)
{
    struct asking *a = arg;
    struct wire_packet p = command_of(CMD_IS_ONLINE);
    struct query q;
    p.connection_id = a->id;
    query_init(&q, bench.loop, &bench.fibers);
    asker_ask(asker, &p, &q, &a->target);
    query_wait(&q);
    a->is_done = true;
}

static void start(struct asking *a, uint32_t id)
{
    *a = (struct asking){.id = id};
    assert_int_equal(fibers_start(&bench.fibers, ask_and_wait, a, NULL), 0);
}

static void await(struct asking *a)
{
    BENCH_TURN_UNTIL(&bench, a->is_done);
}

static int accept_one(void)
{
    return far_end_accept(&bench, &gateway);
}

static void take_packet(int fd, uint8_t cmd, uint32_t id)
{
    assert_int_equal(far_end_packet(&bench, fd, cmd).connection_id, id);
}

static void answer(int fd, const char *value)
{
    uint8_t head[4];
    put_u32be(head, (uint32_t)strlen(value));
    assert_int_equal(send(fd, head, sizeof(head), MSG_NOSIGNAL), sizeof(head));
    assert_int_equal(send(fd, value, strlen(value), MSG_NOSIGNAL), strlen(value));
}

static void check_answer(struct asking *a, const char *want)
{
    await(a);
    assert_int_equal(a->target.rc, 0);
    assert_true(span_is(buf_span(&a->target.answer), want));
    buf_fini(&a->target.answer);
}

static void several_questions_share_a_connection(void **state)
{
    struct asking a, b, c;
    begin("");
    start(&a, 1);
    start(&b, 2);
    int fd = accept_one();
    take_packet(fd, CMD_IS_ONLINE, 1);
    take_packet(fd, CMD_IS_ONLINE, 2);
    answer(fd, "i:1;");
    check_answer(&a, "i:1;");
    assert_false(b.is_done);
    answer(fd, "i:2;");
    check_answer(&b, "i:2;");
    start(&c, 3); /* it was kept */
    take_packet(fd, CMD_IS_ONLINE, 3);
    answer(fd, "i:3;");
    check_answer(&c, "i:3;");
    close(fd);
}

/* As the original's library does, also on a connection in use. */
static void the_secret_goes_before_each(void **state)
{
    struct asking a, b;
    begin("secret");
    start(&a, 1);
    start(&b, 2);
    int fd = accept_one();
    for (uint32_t id = 1; id <= 2; id++) {
        take_packet(fd, CMD_GATEWAY_CLIENT_CONNECT, 0);
        take_packet(fd, CMD_IS_ONLINE, id);
    }
    answer(fd, "i:1;");
    answer(fd, "i:1;");
    check_answer(&a, "i:1;");
    check_answer(&b, "i:1;");
    close(fd);
}

/* The next answer would be for the wrong question: all that wait fail, and the next question goes
 * over a connection of its own. */
static void one_that_is_late_ends_the_connection(void **state)
{
    struct asking a, b, c;
    begin("");
    start(&a, 1);
    int fd = accept_one();
    fake_clock_advance(QUERY_TIMEOUT_MS - 1);
    start(&b, 2);
    fake_clock_advance(1);
    await(&a);
    assert_int_equal(a.target.rc, GW_ETIMEOUT);
    await(&b);
    assert_int_equal(b.target.rc, GW_ETIMEOUT);
    start(&c, 3);
    int fresh = accept_one();
    take_packet(fresh, CMD_IS_ONLINE, 3);
    answer(fresh, "i:3;");
    check_answer(&c, "i:3;");
    close(fd);
    close(fresh);
}

static void a_gateway_that_leaves_fails_what_waits(void **state)
{
    struct asking a, b;
    begin("");
    start(&a, 1);
    int fd = accept_one();
    take_packet(fd, CMD_IS_ONLINE, 1);
    close(fd);
    await(&a);
    assert_int_equal(a.target.rc, GW_ECLOSED);
    start(&b, 2);
    fd = accept_one();
    take_packet(fd, CMD_IS_ONLINE, 2);
    answer(fd, "i:1;");
    check_answer(&b, "i:1;");
    close(fd);
}

/* What nobody has asked for cannot be told from an answer that comes in the wrong place. */
static void an_answer_too_many_ends_it(void **state)
{
    struct asking a;
    begin("");
    start(&a, 1);
    int fd = accept_one();
    answer(fd, "i:1;");
    check_answer(&a, "i:1;");
    answer(fd, "i:2;");
    far_end_await_end(&bench, fd);
}

static void it_rests_closed(void **state)
{
    struct asking a;
    begin("");
    start(&a, 1);
    int fd = accept_one();
    take_packet(fd, CMD_IS_ONLINE, 1);
    answer(fd, "i:1;");
    check_answer(&a, "i:1;");
    fake_clock_advance(IDLE_MS);
    far_end_await_end(&bench, fd);
}

static void nobody_there_is_an_error(void **state)
{
    struct asking a;
    begin("");
    close(gateway.listener);
    gateway.listener = -1;
    start(&a, 1);
    await(&a);
    assert_int_equal(a.target.rc, -ECONNREFUSED);
}

/* The end of its link: whoever waits is told, and nothing of it is touched afterwards. */
static void freeing_it_fails_what_waits(void **state)
{
    struct asking a;
    begin("");
    start(&a, 1);
    int fd = accept_one();
    asker_free(asker);
    asker = NULL;
    assert_true(a.is_done);
    assert_int_equal(a.target.rc, GW_ECLOSED);
    far_end_await_end(&bench, fd);
}

#define ASKER_TEST(name) cmocka_unit_test_teardown(name, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ASKER_TEST(several_questions_share_a_connection),
        ASKER_TEST(the_secret_goes_before_each),
        ASKER_TEST(one_that_is_late_ends_the_connection),
        ASKER_TEST(a_gateway_that_leaves_fails_what_waits),
        ASKER_TEST(an_answer_too_many_ends_it),
        ASKER_TEST(it_rests_closed),
        ASKER_TEST(nobody_there_is_an_error),
        ASKER_TEST(freeing_it_fails_what_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

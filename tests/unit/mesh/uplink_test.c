/* One link to a gateway: what is agreed at the beginning, and what each end of it leaves behind. */
#include "mesh/uplink.h"

#include "unit/mesh/mesh_fixture.h"

enum { SEND_MAX = 100000, PACKET_MAX = 1 << 20 };

static struct mesh_bench bench;
static struct far_end gateway;
static struct uplink_kind kind;
static struct uplink *link_;
static int ups_n, downs_n, packets_n;
static bool was_up;
static uint8_t last_cmd;

static void on_up(struct uplink *u, void *owner)
{
    ups_n++;
}

static void on_packet(struct uplink *u, void *owner, const struct wire_packet *p)
{
    packets_n++;
    last_cmd = p->cmd;
}

static void on_down(struct uplink *u, void *owner, bool was)
{
    downs_n++;
    was_up = was;
}

static const struct uplink_events events = {
    .on_up = on_up, .on_packet = on_packet, .on_down = on_down};

static int begin(void **state)
{
    bench_open(&bench);
    gateway = far_end_open();
    ups_n = downs_n = packets_n = 0;
    kind = (struct uplink_kind){0};
    uplink_kind_init(&kind, PACKET_MAX);
    kind.events = &events;
    kind.conns = bench.conns;
    kind.fibers = &bench.fibers;
    kind.worker_key = "w:0";
    kind.secret = "key";
    kind.send_max_bytes = SEND_MAX;
    link_ = uplink_new(&kind, gateway.address);
    return 0;
}

static int end(void **state)
{
    if (link_->state != UPLINK_DOWN) {
        uplink_close(link_);
        BENCH_TURN_UNTIL(&bench, link_->state == UPLINK_DOWN);
    }
    uplink_free(link_);
    uplink_free(NULL);
    bench_close(&bench);
    close(gateway.listener);
    return 0;
}

/* Up, and its greeting read. */
static int connect_link(void)
{
    int before_n = ups_n;
    uplink_dial(link_);
    int fd = far_end_accept(&bench, &gateway);
    BENCH_TURN_UNTIL(&bench, ups_n == before_n + 1);
    far_end_packet(&bench, fd, CMD_WORKER_CONNECT);
    return fd;
}

static int connect_ours(void)
{
    int fd = connect_link();
    far_end_say(fd, CMD_HELLO, WIRE_SCALAR, 0, "{\"gatehouse\":1}");
    BENCH_TURN_UNTIL(&bench, link_->is_ours);
    return fd;
}

/* ---- questions ---- */

struct asking {
    struct fanout_target target;
    bool is_done;
};

static void ask_and_wait(void *arg)
{
    struct asking *a = arg;
    struct wire_packet p = command_of(CMD_IS_ONLINE);
    struct query q;
    query_init(&q, bench.loop, &bench.fibers);
    uplink_ask(link_, &p, &q, &a->target);
    query_wait(&q);
    a->is_done = true;
}

static void start(struct asking *a)
{
    *a = (struct asking){0};
    assert_int_equal(fibers_start(&bench.fibers, ask_and_wait, a, NULL), 0);
}

static void while_down_nothing_is_sent(void **state)
{
    struct wire_packet p = command_of(CMD_KICK);
    struct asking a;
    assert_int_equal(uplink_send(link_, &p), GW_ENOGATEWAY);
    assert_true(uplink_is_flushed(link_));
    assert_false(uplink_is_full(link_));
    start(&a);
    assert_true(a.is_done);
    assert_int_equal(a.target.rc, GW_ENOGATEWAY);
}

static void an_answer_comes_in_parts(void **state)
{
    struct asking a;
    int fd = connect_ours();
    start(&a);
    far_end_packet(&bench, fd, CMD_IS_ONLINE);
    far_end_say(fd, CMD_REPLY, WIRE_MORE, 0, "i:");
    far_end_say(fd, CMD_PING, 0, 0, ""); /* anything may stand between them */
    far_end_say(fd, CMD_REPLY, 0, 0, "1;");
    BENCH_TURN_UNTIL(&bench, a.is_done);
    assert_int_equal(a.target.rc, 0);
    assert_true(span_is(buf_span(&a.target.answer), "i:1;"));
    buf_fini(&a.target.answer);
    close(fd);
}

static void no_answer_is_an_answer(void **state)
{
    struct asking a;
    int fd = connect_ours();
    start(&a);
    far_end_say(fd, CMD_REPLY, WIRE_SCALAR, 0, "");
    BENCH_TURN_UNTIL(&bench, a.is_done);
    assert_int_equal(a.target.rc, GW_ETOOBIG);
    close(fd);
}

static void an_answer_to_nothing_ends_the_link(void **state)
{
    int fd = connect_ours();
    far_end_say(fd, CMD_REPLY, 0, 0, "i:1;");
    BENCH_TURN_UNTIL(&bench, downs_n == 1);
    assert_true(was_up);
    close(fd);
}

/* Whoever waits for an answer hears of the end at once, and nothing is asked over a dead link. */
static void its_end_ends_what_waits(void **state)
{
    struct asking a, b;
    int fd = connect_ours();
    start(&a);
    start(&b);
    close(fd);
    BENCH_TURN_UNTIL(&bench, downs_n == 1);
    assert_true(a.is_done && b.is_done);
    assert_true(a.target.rc < 0);
    assert_true(b.target.rc < 0);
    assert_false(link_->is_ours);
}

/* A gateway of the original, which says no hello, is asked over a connection of its own. */
static void the_original_is_asked_beside_the_link(void **state)
{
    static const uint8_t reply[] = {0, 0, 0, 4, 'i', ':', '1', ';'};
    struct asking a;
    int fd = connect_link();
    start(&a);
    int beside = far_end_accept(&bench, &gateway);
    far_end_packet(&bench, beside, CMD_GATEWAY_CLIENT_CONNECT);
    far_end_packet(&bench, beside, CMD_IS_ONLINE);
    assert_int_equal(send(beside, reply, sizeof(reply), MSG_NOSIGNAL), sizeof(reply));
    BENCH_TURN_UNTIL(&bench, a.is_done);
    assert_int_equal(a.target.rc, 0);
    buf_fini(&a.target.answer);
    close(fd);
    BENCH_TURN_UNTIL(&bench, downs_n == 1);
    far_end_await_end(&bench, beside); /* it ends with the link */
}

/* ---- packets ---- */

static void extensions_wait_for_the_hello(void **state)
{
    struct wire_packet p = {.cmd = CMD_SEND_TO_ONE,
                            .flag = WIRE_SCALAR | WIRE_BINARY,
                            .connection_id = 1,
                            .body = span_str("x")};
    int fd = connect_link();
    assert_int_equal(uplink_send(link_, &p), 0);
    assert_int_equal(far_end_packet(&bench, fd, CMD_SEND_TO_ONE).flag, WIRE_SCALAR);
    far_end_say(fd, CMD_HELLO, WIRE_SCALAR, 0, "{\"gatehouse\":1}");
    BENCH_TURN_UNTIL(&bench, link_->is_ours);
    assert_int_equal(uplink_send(link_, &p), 0);
    assert_int_equal(far_end_packet(&bench, fd, CMD_SEND_TO_ONE).flag, WIRE_SCALAR | WIRE_BINARY);
    close(fd);
}

/* Events go up; what is for gateways, or for nobody, does not, and costs no link. */
static void only_events_go_up(void **state)
{
    static const uint8_t not_ours[] = {
        CMD_SEND_TO_ONE, CMD_KICK, CMD_WORKER_CONNECT, CMD_DRAIN, CMD_RECEIPT, 99, 0, 255};
    static const uint8_t up[] = {CMD_ON_CONNECT,   CMD_ON_MESSAGE,     CMD_ON_CLOSE,
                                 CMD_ON_HANDSHAKE, CMD_ON_BUFFER_FULL, CMD_DRAIN_MARK};
    int fd = connect_ours();
    for (size_t i = 0; i < sizeof(not_ours); i++)
        far_end_say(fd, not_ours[i], WIRE_SCALAR, 1, "x");
    for (size_t i = 0; i < sizeof(up); i++) {
        far_end_say(fd, up[i], WIRE_SCALAR, 1, "x");
        BENCH_TURN_UNTIL(&bench, packets_n == (int)i + 1);
        assert_int_equal(last_cmd, up[i]);
    }
    assert_int_equal(downs_n, 0);
    close(fd);
}

/* The original destroys a link over a packet of more than 10 MB, and with it all its clients. */
static void packets_that_the_gateway_would_not_take(void **state)
{
    static uint8_t bytes[WIRE_PACKET_MAX];
    struct wire_packet p = {.cmd = CMD_SEND_TO_ALL, .flag = WIRE_SCALAR};
    int fd = connect_link();
    p.body = span_of(bytes, WIRE_PACKET_MAX - WIRE_HEAD + 1);
    assert_int_equal(uplink_send(link_, &p), GW_ETOOBIG);
    far_end_say(fd, CMD_HELLO, WIRE_SCALAR, 0, "{\"gatehouse\":1}");
    BENCH_TURN_UNTIL(&bench, link_->is_ours);
    p.body.len = PACKET_MAX - WIRE_HEAD + 1; /* ours say how much they take */
    assert_int_equal(uplink_send(link_, &p), GW_ETOOBIG);
    p.body.len = PACKET_MAX - WIRE_HEAD;
    assert_int_equal(uplink_send(link_, &p), 0);
    close(fd);
}

static void done_is_told_to_ours_once(void **state)
{
    int fd = connect_ours();
    link_->done_n = 3;
    uplink_will_tell(link_);
    uplink_send_cmd(link_, CMD_KICK, 7, span_of(NULL, 0));
    far_end_packet(&bench, fd, CMD_KICK);
    struct wire_packet p = far_end_packet(&bench, fd, CMD_DONE);
    assert_int_equal(get_u32be(p.body.at), 3);
    link_->done_n = 2; /* alone it may wait, but not for long */
    uplink_will_tell(link_);
    bench_turn(&bench, 2);
    assert_int_equal(link_->done_n, 2);
    fake_clock_advance(10);
    p = far_end_packet(&bench, fd, CMD_DONE);
    assert_int_equal(get_u32be(p.body.at), 2);
    assert_int_equal(link_->done_n, 0);
    close(fd);
}

/* ---- room ---- */

static bool has_room;

static void await_room(void *arg)
{
    uplink_make_room(link_);
    has_room = true;
}

static void who_waits_for_room_goes_on_when_the_link_ends(void **state)
{
    static uint8_t bytes[SEND_MAX];
    struct wire_packet p = {.cmd = CMD_SEND_TO_ALL, .flag = WIRE_SCALAR};
    int fd = connect_ours();
    has_room = false;
    p.body = span_of(bytes, sizeof(bytes));
    for (int i = 0; i < 1000 && !uplink_is_full(link_); i++) {
        assert_int_equal(uplink_send(link_, &p), 0);
        bench_turn(&bench, 1);
    }
    assert_true(uplink_is_full(link_));
    assert_int_equal(fibers_start(&bench.fibers, await_room, NULL, NULL), 0);
    bench_turn(&bench, 5);
    assert_false(has_room);
    close(fd);
    BENCH_TURN_UNTIL(&bench, has_room);
    assert_int_equal(downs_n, 1);
}

/* ---- failing to connect ---- */

static void nobody_there_is_told_later(void **state)
{
    close(gateway.listener);
    uplink_dial(link_);
    assert_int_equal(downs_n, 0); /* never from inside the call */
    BENCH_TURN_UNTIL(&bench, downs_n == 1);
    assert_false(was_up);
    assert_true(link_->is_tried);
    gateway = far_end_open();
}

static void an_ipv6_gateway_is_none(void **state)
{
    uplink_free(link_);
    link_ = uplink_new(&kind, "[::1]:2300");
    uplink_dial(link_);
    BENCH_TURN_UNTIL(&bench, downs_n == 1);
    assert_int_equal(link_->state, UPLINK_DOWN);
}

static void it_comes_back_as_new(void **state)
{
    int fd = connect_ours();
    link_->done_n = 5;
    close(fd);
    BENCH_TURN_UNTIL(&bench, downs_n == 1);
    assert_int_equal(link_->done_n, 0); /* that gateway has lost what they were about */
    fd = connect_link();
    assert_false(link_->is_ours);
    assert_int_equal(link_->drain, DRAIN_NO);
    close(fd);
}

#define LINK_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINK_TEST(while_down_nothing_is_sent),
        LINK_TEST(an_answer_comes_in_parts),
        LINK_TEST(no_answer_is_an_answer),
        LINK_TEST(an_answer_to_nothing_ends_the_link),
        LINK_TEST(its_end_ends_what_waits),
        LINK_TEST(the_original_is_asked_beside_the_link),
        LINK_TEST(extensions_wait_for_the_hello),
        LINK_TEST(only_events_go_up),
        LINK_TEST(packets_that_the_gateway_would_not_take),
        LINK_TEST(done_is_told_to_ours_once),
        LINK_TEST(who_waits_for_room_goes_on_when_the_link_ends),
        LINK_TEST(nobody_there_is_told_later),
        LINK_TEST(an_ipv6_gateway_is_none),
        LINK_TEST(it_comes_back_as_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

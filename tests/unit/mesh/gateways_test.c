/* Links to those that are listed: dialled once each, kept when they vanish, and dropped in time. */
#include "mesh/gateways.h"

#include "unit/mesh/mesh_fixture.h"

enum { FAR_N = 2, RETRY_MS = 1000, HELLO_MS = 300 };

static struct mesh_bench bench;
static struct far_end far[FAR_N];
static struct gateways gateways;
static int ups_n, downs_n;

static void on_up(struct uplink *u, void *owner)
{
    ups_n++;
}

static void on_packet(struct uplink *u, void *owner, const struct wire_packet *p)
{
}

static void on_down(struct uplink *u, void *owner, bool was_up)
{
    downs_n++;
}

static const struct uplink_events events = {
    .on_up = on_up, .on_packet = on_packet, .on_down = on_down};

static int begin(void **state)
{
    bench_open(&bench);
    ups_n = downs_n = 0;
    for (size_t i = 0; i < FAR_N; i++)
        far[i] = far_end_open();
    gateways_init(&gateways,
                  &(struct gateways_conf){.conns = bench.conns,
                                          .fibers = &bench.fibers,
                                          .worker_key = "w:0",
                                          .secret = "",
                                          .send_max_bytes = 1 << 20,
                                          .packet_max_bytes = 1 << 20},
                  &events, NULL);
    return 0;
}

static int end(void **state)
{
    gateways_close(&gateways);
    BENCH_TURN_UNTIL(&bench, gateways_up_n(&gateways) == 0);
    bench_turn(&bench, 5);
    for (size_t i = 0; i < gateways.links.len; i++)
        uplink_free(gateways.links.at[i]);
    vec_fini(&gateways.links);
    idmap_free(gateways.up);
    addr_book_fini(&gateways.book);
    bench_close(&bench);
    for (size_t i = 0; i < FAR_N; i++)
        close(far[i].listener);
    return 0;
}

static void list(const char *first, const char *second)
{
    struct vec v = {0};
    if (first)
        vec_push(&v, (void *)(uintptr_t)first);
    if (second)
        vec_push(&v, (void *)(uintptr_t)second);
    gateways_set_list(&gateways, &v);
    vec_fini(&v);
}

static int accept_hello(size_t i)
{
    int fd = far_end_accept(&bench, &far[i]);
    far_end_packet(&bench, fd, CMD_WORKER_CONNECT);
    far_end_say(fd, CMD_HELLO, WIRE_SCALAR, 0, "{\"gatehouse\":1}");
    return fd;
}

static void check_nobody_dials(size_t i)
{
    bench_turn(&bench, 20);
    assert_int_equal(accept4(far[i].listener, NULL, NULL, SOCK_NONBLOCK), -1);
}

static void each_is_dialled_once(void **state)
{
    assert_true(gateways_are_settled(&gateways)); /* none is listed */
    list(far[0].address, far[1].address);
    assert_false(gateways_are_settled(&gateways));
    list(far[0].address, far[1].address);
    int a = accept_hello(0), b = accept_hello(1);
    BENCH_TURN_UNTIL(&bench, gateways_are_settled(&gateways));
    assert_int_equal(gateways_up_n(&gateways), 2);
    assert_non_null(gateways_find(&gateways, far_end_at(&far[0])));
    list(far[1].address, far[0].address);
    check_nobody_dials(0);
    check_nobody_dials(1);
    assert_int_equal(ups_n, 2);
    close(a);
    close(b);
}

/* vectors/worker-gateway.json, gateway_lost_not_listed. */
static void who_is_listed_no_more_stays_until_it_is_lost(void **state)
{
    list(far[0].address, far[1].address);
    int a = accept_hello(0), b = accept_hello(1);
    BENCH_TURN_UNTIL(&bench, gateways_are_settled(&gateways));
    list(far[1].address, NULL);
    bench_turn(&bench, 5);
    assert_int_equal(gateways_up_n(&gateways), 2);
    close(a);
    BENCH_TURN_UNTIL(&bench, gateways_up_n(&gateways) == 1);
    assert_null(gateways_find(&gateways, far_end_at(&far[0])));
    assert_int_equal(gateways.links.len, 1);
    fake_clock_advance(RETRY_MS);
    check_nobody_dials(0);
    close(b);
}

static void who_is_listed_is_dialled_again(void **state)
{
    list(far[0].address, NULL);
    int a = accept_hello(0);
    BENCH_TURN_UNTIL(&bench, gateways_up_n(&gateways) == 1);
    uint32_t changes_n = gateways.changes_n;
    close(a);
    BENCH_TURN_UNTIL(&bench, gateways_up_n(&gateways) == 0);
    assert_true(gateways.changes_n != changes_n);
    assert_true(gateways_are_settled(&gateways)); /* it was tried */
    check_nobody_dials(0);
    fake_clock_advance(RETRY_MS);
    a = accept_hello(0);
    BENCH_TURN_UNTIL(&bench, gateways_up_n(&gateways) == 1);
    close(a);
}

/* Down and unlisted while it waits for its next try: nothing of it is left to be tried. */
static void who_vanishes_while_it_is_down_is_forgotten(void **state)
{
    list(far[0].address, NULL);
    int a = accept_hello(0);
    BENCH_TURN_UNTIL(&bench, gateways_up_n(&gateways) == 1);
    close(a);
    BENCH_TURN_UNTIL(&bench, gateways_up_n(&gateways) == 0);
    list(NULL, NULL);
    assert_int_equal(gateways.links.len, 0);
    fake_clock_advance(RETRY_MS);
    check_nobody_dials(0);
}

/* One of the original says no hello: after a while it is taken for what it is. */
static void who_says_no_hello_is_waited_for_a_little(void **state)
{
    list(far[0].address, NULL);
    int a = far_end_accept(&bench, &far[0]);
    BENCH_TURN_UNTIL(&bench, gateways_up_n(&gateways) == 1);
    assert_false(gateways_are_settled(&gateways));
    fake_clock_advance(HELLO_MS);
    bench_turn(&bench, 1);
    assert_true(gateways_are_settled(&gateways));
    close(a);
}

static void at_the_end_nobody_is_dialled(void **state)
{
    list(far[0].address, NULL);
    int a = accept_hello(0);
    BENCH_TURN_UNTIL(&bench, gateways_up_n(&gateways) == 1);
    gateways_close(&gateways);
    list(far[0].address, far[1].address);
    far_end_await_end(&bench, a);
    BENCH_TURN_UNTIL(&bench, downs_n == 1);
    fake_clock_advance(RETRY_MS);
    check_nobody_dials(0);
    check_nobody_dials(1);
}

#define GATEWAYS_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GATEWAYS_TEST(each_is_dialled_once),
        GATEWAYS_TEST(who_is_listed_no_more_stays_until_it_is_lost),
        GATEWAYS_TEST(who_is_listed_is_dialled_again),
        GATEWAYS_TEST(who_vanishes_while_it_is_down_is_forgotten),
        GATEWAYS_TEST(who_says_no_hello_is_waited_for_a_little),
        GATEWAYS_TEST(at_the_end_nobody_is_dialled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

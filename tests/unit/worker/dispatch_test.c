/* Order of events, over links that are never dialled: callbacks wait where the test says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/mem.h"
#include "support/allocs.h"
#include "worker/dispatch.h"

enum { STACK_BYTES = 64 * 1024, SLEEPERS_MAX = 64 };

struct bench {
    struct loop *loop;
    struct conn_pool *conns;
    struct fibers fibers;
    struct uplink_kind kind;
    struct uplink *link;
    struct dispatch dispatch;
    struct buf story; /* what ran: "5<a " began, "5>a " ended */
    struct co *sleepers[SLEEPERS_MAX];
    size_t sleepers_n;
    bool is_quiet;
    size_t idle_n;
};

static void tell(struct bench *b, const struct event *e, char mark)
{
    if (!b->is_quiet)
        buf_printf(&b->story, "%u%c%.*s ", e->client->id, mark, (int)e->packet.body.len,
                   (const char *)e->packet.body.at);
}

enum { SESSION_CRC = 0x7eadbeef };

/* A message that begins with 'w' waits until wake_first(), one with 's' has written a session, and
 * one with 'v' finds that session's version. */
static void run(void *owner, struct event *e)
{
    struct bench *b = owner;

    tell(b, e, '<');
    if (e->packet.body.len > 0 && e->packet.body.at[0] == 'w') {
        assert_true(b->sleepers_n < SLEEPERS_MAX);
        b->sleepers[b->sleepers_n++] = fibers_self(&b->fibers);
        fibers_wait(&b->fibers);
        assert_ptr_equal(b->fibers.event, e);
    }
    if (e->packet.body.len > 0 && e->packet.body.at[0] == 's') {
        e->client->has_own_session = true;
        e->client->own_session_crc = SESSION_CRC;
    }
    if (e->packet.body.len > 0 && e->packet.body.at[0] == 'v') {
        assert_true(e->client->has_own_session);
        assert_int_equal(e->client->own_session_crc, SESSION_CRC);
    }
    tell(b, e, '>');
}

static void on_client_idle(void *owner, struct client *c)
{
    ((struct bench *)owner)->idle_n++;
}

static void on_room(void *owner)
{
}

static const struct dispatch_events events = {
    .run = run, .on_client_idle = on_client_idle, .on_room = on_room};

static void start(struct bench *b, size_t fibers_max_n)
{
    *b = (struct bench){.loop = loop_new()};
    assert_non_null(b->loop);
    b->conns = conn_pool_new(b->loop);
    assert_int_equal(fibers_init(&b->fibers, STACK_BYTES, fibers_max_n), 0);
    uplink_kind_init(&b->kind, 1 << 20);
    b->kind.conns = b->conns;
    b->kind.fibers = &b->fibers;
    b->link = uplink_new(&b->kind, "127.0.0.1:1");
    dispatch_init(&b->dispatch, b->loop, &b->fibers, &events, b);
    dispatch_open(&b->dispatch);
}

static void finish(struct bench *b)
{
    assert_int_equal(b->dispatch.in_hand_n, 0);
    assert_int_equal(b->dispatch.bytes_n, 0);
    dispatch_forget(&b->dispatch, b->link);
    dispatch_fini(&b->dispatch);
    uplink_free(b->link);
    fibers_fini(&b->fibers);
    conn_pool_free(b->conns);
    loop_free(b->loop);
    buf_fini(&b->story);
}

static void arrive(struct bench *b, uint8_t cmd, uint32_t id, const char *body)
{
    struct wire_packet p = {.cmd = cmd, .connection_id = id, .body = span_str(body)};

    dispatch_packet(&b->dispatch, b->link, &p);
}

static void wake_first(struct bench *b)
{
    struct co *co = b->sleepers[0];

    assert_true(b->sleepers_n > 0);
    b->sleepers_n--;
    memmove(b->sleepers, b->sleepers + 1, b->sleepers_n * sizeof b->sleepers[0]);
    fibers_resume(&b->fibers, co);
}

static void expect_story(struct bench *b, const char *want)
{
    assert_string_equal(buf_cstr(&b->story), want);
    buf_clear(&b->story);
}

static void test_events_of_one_client_never_overlap(void **state)
{
    struct bench b;

    start(&b, 10);
    arrive(&b, CMD_ON_CONNECT, 5, "w1");
    arrive(&b, CMD_ON_MESSAGE, 5, "2");
    arrive(&b, CMD_ON_MESSAGE, 5, "w3");
    arrive(&b, CMD_ON_CLOSE, 5, "4");
    expect_story(&b, "5<w1 ");
    wake_first(&b);
    expect_story(&b, "5>w1 5<2 5>2 5<w3 ");
    wake_first(&b);
    expect_story(&b, "5>w3 5<4 5>4 ");
    assert_int_equal(b.idle_n, 1);
    finish(&b);
}

static void test_clients_do_not_wait_for_each_other(void **state)
{
    struct bench b;

    start(&b, 10);
    arrive(&b, CMD_ON_MESSAGE, 5, "wa");
    arrive(&b, CMD_ON_MESSAGE, 6, "b");
    arrive(&b, CMD_ON_MESSAGE, 7, "wc");
    arrive(&b, CMD_ON_MESSAGE, 6, "d");
    expect_story(&b, "5<wa 6<b 6>b 7<wc 6<d 6>d ");
    wake_first(&b);
    wake_first(&b);
    expect_story(&b, "5>wa 7>wc ");
    finish(&b);
}

/* The bytes of a waiting callback stay where they are while others use the same buffers. */
static void test_a_waiting_callback_keeps_its_message(void **state)
{
    struct bench b;
    char text[16];

    start(&b, 10);
    arrive(&b, CMD_ON_MESSAGE, 5, "wait for me");
    b.is_quiet = true;
    for (uint32_t i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "message %u", i);
        arrive(&b, CMD_ON_MESSAGE, 100 + i, text);
    }
    b.is_quiet = false;
    buf_clear(&b.story);
    wake_first(&b);
    expect_story(&b, "5>wait for me ");
    finish(&b);
}

static void test_beyond_the_limit_events_wait_in_order(void **state)
{
    struct bench b;

    start(&b, 2);
    arrive(&b, CMD_ON_MESSAGE, 1, "wa");
    arrive(&b, CMD_ON_MESSAGE, 2, "wb");
    arrive(&b, CMD_ON_MESSAGE, 3, "c");
    arrive(&b, CMD_ON_MESSAGE, 4, "d");
    arrive(&b, CMD_ON_MESSAGE, 3, "e");
    expect_story(&b, "1<wa 2<wb ");
    wake_first(&b);
    assert_true(loop_turn(b.loop, 0) >= 0);
    expect_story(&b, "1>wa 3<c 3>c 3<e 3>e 4<d 4>d ");
    wake_first(&b);
    finish(&b);
}

static void test_before_it_opens_events_wait(void **state)
{
    struct bench b;

    start(&b, 10);
    b.dispatch.is_open = false;
    arrive(&b, CMD_ON_CONNECT, 1, "a");
    arrive(&b, CMD_ON_MESSAGE, 1, "b");
    expect_story(&b, "");
    assert_int_equal(b.dispatch.in_hand_n, 2);
    dispatch_open(&b.dispatch);
    assert_true(loop_turn(b.loop, 0) >= 0);
    expect_story(&b, "1<a 1>a 1<b 1>b ");
    finish(&b);
}

static void test_busy_clients_are_named(void **state)
{
    struct bench b;
    struct buf ids = {0};

    start(&b, 1);
    arrive(&b, CMD_ON_MESSAGE, 9, "x");
    arrive(&b, CMD_ON_MESSAGE, 7, "w");
    dispatch_busy_ids(b.link, &ids);
    assert_int_equal(ids.len, 4);
    assert_memory_equal(ids.at, "\0\0\0\7", 4);
    buf_fini(&ids);
    wake_first(&b);
    finish(&b);
}

static void test_events_in_hand_outlive_their_link(void **state)
{
    struct bench b;

    start(&b, 10);
    arrive(&b, CMD_ON_MESSAGE, 7, "w");
    arrive(&b, CMD_ON_MESSAGE, 7, "last");
    arrive(&b, CMD_ON_MESSAGE, 8, "idle");
    dispatch_forget(&b.dispatch, b.link);
    arrive(&b, CMD_ON_CONNECT, 7, "other"); /* the number again, on a new connection */
    wake_first(&b);
    expect_story(&b, "7<w 8<idle 8>idle 7<other 7>other 7>w 7<last 7>last ");
    finish(&b);
}

static void test_only_clients_with_a_version_are_remembered(void **state)
{
    struct bench b;

    start(&b, 10);
    arrive(&b, CMD_ON_CONNECT, 5, "1");
    assert_int_equal(idmap_len(b.link->clients), 0);
    arrive(&b, CMD_ON_MESSAGE, 5, "w2");
    assert_int_equal(idmap_len(b.link->clients), 1);
    wake_first(&b);
    assert_int_equal(idmap_len(b.link->clients), 0);
    arrive(&b, CMD_ON_MESSAGE, 5, "s3");
    arrive(&b, CMD_ON_MESSAGE, 5, "v4");
    arrive(&b, CMD_ON_MESSAGE, 5, "v5");
    assert_int_equal(idmap_len(b.link->clients), 1);
    assert_int_equal(pool_used_n(b.dispatch.clients), 0); /* by its version alone */
    arrive(&b, CMD_ON_CLOSE, 5, "6");
    assert_int_equal(idmap_len(b.link->clients), 0);
    arrive(&b, CMD_ON_MESSAGE, 6, "s7"); /* the link ends before it does */
    finish(&b);
}

static void test_no_allocation_once_warm(void **state)
{
    struct bench b;

    start(&b, 10);
    b.is_quiet = true;
    arrive(&b, CMD_ON_MESSAGE, 5, "a message of the common size");
    struct allocs mark = allocs_mark();
    for (int i = 0; i < 1000; i++)
        arrive(&b, CMD_ON_MESSAGE, 5, "a message of the common size");
    assert_int_equal(allocs_since(mark), 0);
    assert_int_equal(b.dispatch.done_n, 1001);
    finish(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events_of_one_client_never_overlap),
        cmocka_unit_test(test_clients_do_not_wait_for_each_other),
        cmocka_unit_test(test_a_waiting_callback_keeps_its_message),
        cmocka_unit_test(test_beyond_the_limit_events_wait_in_order),
        cmocka_unit_test(test_before_it_opens_events_wait),
        cmocka_unit_test(test_busy_clients_are_named),
        cmocka_unit_test(test_events_in_hand_outlive_their_link),
        cmocka_unit_test(test_only_clients_with_a_version_are_remembered),
        cmocka_unit_test(test_no_allocation_once_warm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

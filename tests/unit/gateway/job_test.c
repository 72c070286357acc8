/* Commands about thousands of clients: run in slices, answered whole, in order, within bounds. */
#include "gateway/job.h"

#include <stdlib.h>

#include "gateway_fixture.h"
#include "phantoms.h"
#include "support/allocs.h"
#include "support/fake_clock.h"

enum { MANY = 5000, ROOMS = 50, ANSWER_MAX = 8 << 20 };

static uint8_t got[ANSWER_MAX];

static void ask(int fd, int cmd, const char *ext)
{
    put_cmd(fd, cmd, 0, span_str(ext), span_of(NULL, 0));
}

/* The next plain answer; it lives until the next call. */
static struct span take_answer(const struct gateway_bench *b, int fd)
{
    take(b, fd, got, 4);
    size_t len = get_u32be(got);
    assert_in_range(len, 2, sizeof(got));
    take(b, fd, got, len);
    return span_of(got, len);
}

/* What was expected is built by printf(), not by the code that is tested; it is freed here. */
static void check(struct span answer, struct buf *want)
{
    assert_int_equal(answer.len, want->len);
    assert_memory_equal(answer.at, want->at, want->len);
    buf_fini(want);
}

static void check_next(const struct gateway_bench *b, int fd, const char *want)
{
    struct span answer = take_answer(b, fd);
    if (!span_is(answer, want))
        fail_msg("%.*s instead of %s", (int)answer.len, (const char *)answer.at, want);
}

static uint32_t next_number(struct span *in, char before)
{
    ptrdiff_t at = span_find(*in, (uint8_t)before);
    assert_true(at >= 0);
    *in = span_skip(*in, (size_t)at + 1);
    return (uint32_t)strtoul((const char *)in->at, NULL, 10);
}

/* The ids of an answer of sessions. */
static uint32_t read_ids(struct span answer, uint32_t *ids, uint32_t max_n)
{
    uint32_t n = next_number(&answer, ':');
    assert_in_range(n, 0, max_n);
    for (uint32_t i = 0; i < n; i++) {
        ptrdiff_t at = span_find(answer, 'i');
        assert_true(at >= 0);
        answer = span_skip(answer, (size_t)at);
        ids[i] = next_number(&answer, ':');
        at = span_find(answer, '"');
        answer = span_skip(answer, (size_t)at + 1);
        at = span_find(answer, '"');
        answer = span_skip(answer, (size_t)at + 1);
    }
    assert_int_equal(answer.len, 2); /* ;} */
    return n;
}

/* ---- the bytes ---- */

static void put_want_sessions(struct buf *want, uint32_t first, uint32_t step)
{
    buf_printf(want, "a:%d:{", (MANY + (int)step - 1) / (int)step);
    for (uint32_t id = first; id <= MANY; id += step) {
        char session[32];
        int n = snprintf(session, sizeof(session), PHANTOM_SESSION, id);
        buf_printf(want, "i:%u;s:%d:\"%s\";", id, n, session);
    }
    buf_puts(want, "}");
}

static void long_answers_have_the_bytes_of_short_ones(void **state)
{
    struct gateway_bench b;
    struct buf want = {0};
    bench_start(&b, "");
    phantoms_add(b.self, MANY, ROOMS);
    int fd = dial(&b, 1);

    ask(fd, CMD_GET_ALL_CLIENT_SESSIONS, "");
    put_want_sessions(&want, 1, 1);
    check(take_answer(&b, fd), &want);

    ask(fd, CMD_GET_CLIENT_ID_BY_UID, "everybody");
    buf_printf(&want, "a:%d:{", MANY);
    for (int i = 0; i < MANY; i++)
        buf_printf(&want, "i:%d;i:%d;", i, i + 1);
    buf_puts(&want, "}");
    check(take_answer(&b, fd), &want);

    ask(fd, CMD_BATCH_GET_CLIENT_ID_BY_UID, "[\"nobody\",\"everybody\",\"7\",\"everybody\"]");
    buf_printf(&want, "a:3:{s:6:\"nobody\";a:0:{}s:9:\"everybody\";a:%d:{", MANY);
    for (int i = 0; i < MANY; i++)
        buf_printf(&want, "i:%d;i:%d;", i, i + 1);
    buf_puts(&want, "}i:7;a:0:{}}");
    check(take_answer(&b, fd), &want);

    ask(fd, CMD_SELECT,
        "{\"fields\":[\"uid\"],\"where\":{\"groups\":[\"room1\",\"room0\",\"room1\"]}}");
    buf_printf(&want, "a:%d:{", 2 * MANY / ROOMS);
    for (uint32_t first = 1; first != UINT32_MAX; first = first == 1 ? 0 : UINT32_MAX)
        for (uint32_t id = first ? first : ROOMS; id <= MANY; id += ROOMS)
            buf_printf(&want, "i:%u;a:1:{s:3:\"uid\";s:9:\"everybody\";}", id);
    buf_puts(&want, "}");
    check(take_answer(&b, fd), &want);

    ask(fd, CMD_SELECT, "{\"fields\":[\"groups\"]}");
    buf_printf(&want, "a:%d:{", MANY);
    for (uint32_t id = 1; id <= MANY; id++) {
        char room[16];
        int n = snprintf(room, sizeof(room), "room%u", id % ROOMS);
        buf_printf(&want, "i:%u;a:1:{s:6:\"groups\";a:1:{s:%d:\"%s\";s:%d:\"%s\";}}", id, n, room,
                   n, room);
    }
    buf_puts(&want, "}");
    check(take_answer(&b, fd), &want);

    const struct gateway *g = b.self;
    assert_in_range(g->jobs.most_items_n, SLICE_LOOK_ITEMS, SLICE_ITEMS_MAX);
    assert_int_equal(g->clients.all.holds_n, 0);
    phantoms_remove(b.self);
    close(fd);
    bench_end(&b);
}

static void many_groups(void **state)
{
    struct gateway_bench b;
    struct buf want = {0}, names = {0}, packet = {0};
    bench_start(&b, "");
    phantoms_add(b.self, MANY, MANY);
    int fd = dial(&b, 1);
    ask(fd, CMD_GET_GROUP_ID_LIST, "");
    buf_printf(&want, "a:%d:{", MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        char room[16];
        int n = snprintf(room, sizeof(room), "room%u", (i + 1) % MANY);
        buf_printf(&want, "i:%u;s:%d:\"%s\";", i, n, room);
    }
    buf_puts(&want, "}");
    check(take_answer(&b, fd), &want);

    buf_printf(&want, "a:%d:{", MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        char room[16];
        int n = snprintf(room, sizeof(room), "room%u", i);
        buf_printf(&names, "%s\"%s\"", i == 0 ? "[" : ",", room);
        buf_printf(&want, "s:%d:\"%s\";i:1;", n, room);
    }
    buf_puts(&names, "]");
    buf_puts(&want, "}");
    wire_put(&packet, &(struct wire_packet){.cmd = CMD_BATCH_GET_CLIENT_COUNT_BY_GROUP,
                                            .flag = WIRE_SCALAR,
                                            .ext = buf_span(&names)});
    put(fd, packet.at, packet.len);
    check(take_answer(&b, fd), &want);
    buf_fini(&names);
    buf_fini(&packet);
    phantoms_remove(b.self);
    close(fd);
    bench_end(&b);
}

/* ---- others meanwhile ---- */

/* After every turn one client leaves in front of the walk, one behind it, and one joins; the answer
 * has its own count right, nobody twice and nobody who came later. */
static void clients_come_and_go_between_slices(void **state)
{
    static uint32_t ids[MANY];
    struct gateway_bench b;
    bench_start(&b, "");
    struct gateway *g = b.self;
    phantoms_add(g, MANY, ROOMS);
    int fd = dial(&b, 1);
    ask(fd, CMD_GET_ALL_CLIENT_SESSIONS, "");
    uint32_t first = 1, last = MANY, changes_n = 0;
    for (int i = 0; i < TURNS_MAX && !g->clients.all.holds_n; i++)
        loop_turn(b.env.loop, 1);
    while (g->clients.all.holds_n > 0) {
        phantom_remove(g, clients_find(&g->clients, first++));
        phantom_remove(g, clients_find(&g->clients, last--));
        phantoms_add(g, 1, ROOMS);
        changes_n++;
        loop_turn(b.env.loop, 0);
    }
    assert_in_range(changes_n, 2, MANY / 2);
    uint32_t n = read_ids(take_answer(&b, fd), ids, MANY);
    assert_int_equal(n, MANY - changes_n); /* those behind had not been visited when they left */
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(ids[i], i + 1);
    phantoms_remove(g);
    close(fd);
    bench_end(&b);
}

/* The group that is walked loses everybody and comes anew. */
static void a_group_ends_between_slices(void **state)
{
    static uint32_t ids[MANY];
    struct gateway_bench b;
    bench_start(&b, "");
    struct gateway *g = b.self;
    phantoms_add(g, MANY, 1);
    int fd = dial(&b, 1);
    ask(fd, CMD_GET_CLIENT_SESSIONS_BY_GROUP, "room0");
    struct group *group = groups_find(&g->groups, span_str("room0"));
    for (int i = 0; i < TURNS_MAX && !group->members.holds_n; i++)
        loop_turn(b.env.loop, 1);
    for (uint32_t id = 1; id <= MANY; id++)
        groups_leave(&g->groups, clients_find(&g->clients, id), span_str("room0"));
    assert_null(groups_find(&g->groups, span_str("room0")));
    groups_join(&g->groups, clients_find(&g->clients, MANY), span_str("room0"));
    uint32_t n = read_ids(take_answer(&b, fd), ids, MANY);
    assert_in_range(n, SLICE_LOOK_ITEMS, SLICE_ITEMS_MAX); /* the first slice */
    ask(fd, CMD_GET_CLIENT_COUNT_BY_GROUP, "room0");
    check_next(&b, fd, "i:1;");
    assert_int_equal(groups_len(&g->groups), 1);
    phantoms_remove(g);
    close(fd);
    bench_end(&b);
}

static void ungroup_leaves_no_trace(void **state)
{
    struct gateway_bench b;
    bench_start(&b, "");
    struct gateway *g = b.self;
    phantoms_add(g, MANY, 1);
    int fd = dial(&b, 1), other = dial(&b, 1);
    ask(fd, CMD_UNGROUP, "room0");
    ask(fd, CMD_GET_GROUP_ID_LIST, ""); /* runs when the group is taken apart */
    for (int i = 0; i < TURNS_MAX && list_is_empty(&g->jobs.ready); i++)
        loop_turn(b.env.loop, 1);
    /* In the middle others see no such group, and a new one may come. */
    ask(other, CMD_SELECT, "{\"fields\":[\"groups\"],\"where\":{\"connection_id\":[4999]}}");
    check_next(&b, other, "a:1:{i:4999;a:1:{s:6:\"groups\";a:0:{}}}");
    put_cmd(other, CMD_JOIN_GROUP, MANY, span_str("room0"), span_of(NULL, 0));
    ask(other, CMD_GET_CLIENT_COUNT_BY_GROUP, "room0");
    check_next(&b, other, "i:1;");
    check_next(&b, fd, "a:1:{i:0;s:5:\"room0\";}");
    assert_int_equal(clients_find(&g->clients, 1)->memberships[MEMBER_GROUP] == NULL, 1);
    ask(fd, CMD_UNGROUP, "room0");
    ask(fd, CMD_GET_GROUP_ID_LIST, "");
    check_next(&b, fd, "a:0:{}");
    phantoms_remove(g);
    close(fd);
    close(other);
    bench_end(&b);
}

/* The work is done though nobody waits for it. */
static void ungroup_outlives_its_peer(void **state)
{
    struct gateway_bench b;
    bench_start(&b, "");
    struct gateway *g = b.self;
    phantoms_add(g, MANY, 1);
    int fd = dial(&b, 1);
    ask(fd, CMD_UNGROUP, "room0");
    for (int i = 0; i < TURNS_MAX && list_is_empty(&g->jobs.ready); i++)
        loop_turn(b.env.loop, 1);
    struct peer *p = CONTAINER_OF(g->inner.peers.prev, struct peer, node);
    conn_destroy(p->conn, 0);
    close(fd);
    turn(&b, 100);
    for (uint32_t id = 1; id <= MANY; id++)
        assert_null(clients_find(&g->clients, id)->memberships[MEMBER_GROUP]);
    phantoms_remove(g);
    bench_end(&b);
}

/* ---- peers ---- */

static void answers_come_in_the_order_of_the_requests(void **state)
{
    struct gateway_bench b;
    struct buf want = {0};
    bench_start(&b, "");
    phantoms_add(b.self, MANY, ROOMS);
    int fd = dial(&b, 1);
    ask(fd, CMD_GET_CLIENT_COUNT_BY_GROUP, "room1");
    ask(fd, CMD_GET_ALL_CLIENT_SESSIONS, "");
    ask(fd, CMD_GET_CLIENT_COUNT_BY_GROUP, "");
    ask(fd, CMD_GET_ALL_CLIENT_SESSIONS, "");
    put_cmd(fd, CMD_IS_ONLINE, MANY, span_of(NULL, 0), span_of(NULL, 0));
    check_next(&b, fd, "i:100;");
    put_want_sessions(&want, 1, 1);
    check(take_answer(&b, fd), &want);
    check_next(&b, fd, "i:5000;");
    put_want_sessions(&want, 1, 1);
    check(take_answer(&b, fd), &want);
    check_next(&b, fd, "i:1;");
    phantoms_remove(b.self);
    close(fd);
    bench_end(&b);
}

/* More peers than answers are allowed in memory; those that wait are heard later. */
static void several_peers_at_once(void **state)
{
    enum { PEERS = 5 };
    struct gateway_bench b;
    int fds[PEERS];
    bench_start(&b, "");
    struct gateway *g = b.self;
    phantoms_add(g, MANY, ROOMS);
    for (int i = 0; i < PEERS; i++) {
        fds[i] = dial(&b, 1);
        ask(fds[i], CMD_GET_ALL_CLIENT_SESSIONS, "");
        ask(fds[i], CMD_GET_CLIENT_COUNT_BY_GROUP, "");
    }
    size_t most_n = 0;
    bool was_line = false;
    for (int i = 0; i < 60; i++) {
        loop_turn(b.env.loop, 1);
        most_n = g->jobs.answers_n > most_n ? g->jobs.answers_n : most_n;
        was_line = was_line || !list_is_empty(&g->jobs.line);
    }
    assert_int_equal(most_n, JOB_ANSWERS_MAX);
    assert_true(was_line);
    for (int i = PEERS - 1; i >= 0; i--) {
        struct buf want = {0};
        put_want_sessions(&want, 1, 1);
        check(take_answer(&b, fds[i]), &want);
        check_next(&b, fds[i], "i:5000;");
    }
    assert_int_equal(g->jobs.answers_n, 0);
    phantoms_remove(g);
    for (int i = 0; i < PEERS; i++)
        close(fds[i]);
    bench_end(&b);
}

/* One that builds, one whose answer is ready, and one in line. */
static void peers_die_in_the_middle(void **state)
{
    struct gateway_bench b;
    bench_start(&b, "");
    struct gateway *g = b.self;
    phantoms_add(g, MANY, ROOMS);
    for (int turns_n = 1; turns_n < 12; turns_n++) {
        int fds[4];
        for (int i = 0; i < 4; i++) {
            fds[i] = dial(&b, 1);
            ask(fds[i], CMD_GET_ALL_CLIENT_SESSIONS, "");
        }
        turn(&b, turns_n);
        for (struct list *n = g->inner.peers.next; n != &g->inner.peers; n = n->next)
            conn_destroy(CONTAINER_OF(n, struct peer, node)->conn, 0);
        turn(&b, 3);
        assert_int_equal(g->jobs.answers_n, 0);
        assert_int_equal(g->clients.all.holds_n, 0);
        assert_true(list_is_empty(&g->jobs.line));
        for (int i = 0; i < 4; i++)
            close(fds[i]);
    }
    int fd = dial(&b, 1);
    ask(fd, CMD_GET_CLIENT_COUNT_BY_GROUP, "");
    check_next(&b, fd, "i:5000;");
    phantoms_remove(g);
    close(fd);
    bench_end(&b);
}

/* It asks for megabytes and takes nothing: closed in the end, and the next one gets its answer. */
static void a_peer_that_does_not_read_is_closed(void **state)
{
    struct gateway_bench b;
    fake_clock_start(1000000);
    bench_start(&b, "");
    struct gateway *g = b.self;
    phantoms_add(g, 40, 1);
    static uint8_t session[400 * 1024];
    memset(session, 's', sizeof(session));
    for (uint32_t id = 1; id <= 40; id++)
        assert_int_equal(
            client_set_session(clients_find(&g->clients, id), span_of(session, sizeof(session))),
            0);
    int fds[3];
    for (int i = 0; i < 3; i++) {
        fds[i] = dial(&b, 1);
        ask(fds[i], CMD_GET_ALL_CLIENT_SESSIONS, "");
        turn(&b, 60);
    }
    assert_int_equal(g->jobs.answers_n, 2);
    assert_false(list_is_empty(&g->jobs.line));
    fake_clock_advance(31 * 1000);
    turn(&b, 200);
    take(&b, fds[2], got, 4);
    assert_in_range(get_u32be(got), 40 * sizeof(session), 41 * sizeof(session));
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    phantoms_remove(g);
    fake_clock_stop();
    turn(&b, 50);
    bench_end(&b);
}

/* A long answer that finds the queue full of short ones is begun once, however late its first part
 * goes. */
static void a_long_answer_behind_many_short_ones(void **state)
{
    enum { ASKED = 300, CLIENTS = 40 };
    static uint8_t session[100 * 1024];
    struct gateway_bench b;
    bench_start(&b, "send_to_worker_buffer_size = 64m");
    struct gateway *g = b.self;
    phantoms_add(g, CLIENTS, 1);
    memset(session, 's', sizeof(session));
    for (uint32_t id = 1; id <= CLIENTS; id++)
        assert_int_equal(
            client_set_session(clients_find(&g->clients, id), span_of(session, sizeof(session))),
            0);
    int fd = dial(&b, 1);
    for (int i = 0; i < ASKED; i++)
        put_cmd(fd, CMD_GET_SESSION_BY_CLIENT_ID, 1, span_of(NULL, 0), span_of(NULL, 0));
    ask(fd, CMD_GET_ALL_CLIENT_SESSIONS, "");
    ask(fd, CMD_GET_CLIENT_COUNT_BY_GROUP, "");
    turn(&b, 100);
    for (int i = 0; i < ASKED; i++)
        assert_in_range(take_answer(&b, fd).len, sizeof(session), sizeof(session) + 16);
    assert_in_range(take_answer(&b, fd).len, CLIENTS * sizeof(session),
                    CLIENTS * (sizeof(session) + 32));
    check_next(&b, fd, "i:40;");
    phantoms_remove(g);
    close(fd);
    bench_end(&b);
}

/* ---- links of ours ---- */

static int attach_client(const struct gateway_bench *b)
{
    int fd = dial(b, 1);
    struct span offer = span_str("{\"secret_key\":\"\",\"gatehouse\":1,\"packets\":1}");
    put_cmd(fd, CMD_GATEWAY_CLIENT_CONNECT, 0, span_of(NULL, 0), offer);
    take_packet(b, fd, CMD_HELLO);
    return fd;
}

static struct wire_packet take_large_packet(const struct gateway_bench *b, int fd)
{
    static uint8_t bytes[64 * 1024];
    struct wire_packet p;
    take(b, fd, bytes, 4);
    size_t len = get_u32be(bytes);
    assert_in_range(len, WIRE_HEAD, sizeof(bytes));
    take(b, fd, bytes + 4, len - 4);
    assert_int_equal(wire_decode(span_of(bytes, len), SIZE_MAX, &p), len);
    return p;
}

static void long_answers_come_in_parts(void **state)
{
    struct gateway_bench b;
    struct buf want = {0}, all = {0};
    bench_start(&b, "");
    phantoms_add(b.self, MANY, ROOMS);
    int fd = attach_client(&b);
    ask(fd, CMD_GET_ALL_CLIENT_SESSIONS, "");
    struct wire_packet p;
    size_t parts_n = 0;
    do {
        p = take_large_packet(&b, fd);
        assert_int_equal(p.cmd, CMD_REPLY);
        buf_put_span(&all, p.body);
        parts_n++;
    } while (p.flag == WIRE_MORE);
    assert_int_equal(p.flag, 0);
    assert_in_range(parts_n, 2, 10);
    put_want_sessions(&want, 1, 1);
    check(buf_span(&all), &want);
    buf_fini(&all);
    phantoms_remove(b.self);
    close(fd);
    bench_end(&b);
}

static void malformed_query_costs_a_link_no_other_answer(void **state)
{
    struct gateway_bench b;
    bench_start(&b, "");
    struct gateway *g = b.self;
    int ours = attach_client(&b), plain = dial(&b, 1);
    ask(ours, CMD_BATCH_GET_CLIENT_COUNT_BY_GROUP, "[\"a\",[\"b\"]]");
    ask(ours, CMD_BATCH_GET_CLIENT_ID_BY_UID, "[[]]");
    ask(ours, CMD_GET_CLIENT_COUNT_BY_GROUP, "");
    for (int i = 0; i < 2; i++) {
        struct wire_packet p = take_packet(&b, ours, CMD_REPLY);
        assert_int_equal(p.flag, WIRE_SCALAR);
        assert_int_equal(p.body.len, 0);
    }
    struct wire_packet p = take_packet(&b, ours, CMD_REPLY);
    assert_int_equal(p.flag, 0);
    assert_true(span_is(p.body, "i:0;"));
    ask(plain, CMD_BATCH_GET_CLIENT_ID_BY_UID, "[[]]");
    turn_until_closed(&b, plain);
    assert_int_equal(g->jobs.answers_n, 0);
    close(ours);
    close(plain);
    bench_end(&b);
}

static void too_large_an_answer_is_none(void **state)
{
    struct gateway_bench b;
    bench_start(&b, "max_reply_bytes = 1m");
    struct gateway *g = b.self;
    phantoms_add(g, 20, 1);
    static uint8_t session[100 * 1024];
    for (uint32_t id = 1; id <= 20; id++)
        assert_int_equal(
            client_set_session(clients_find(&g->clients, id), span_of(session, sizeof(session))),
            0);
    int ours = attach_client(&b), plain = dial(&b, 1);
    ask(ours, CMD_GET_ALL_CLIENT_SESSIONS, "");
    ask(ours, CMD_GET_CLIENT_COUNT_BY_GROUP, "");
    struct wire_packet p = take_packet(&b, ours, CMD_REPLY);
    assert_int_equal(p.flag, WIRE_SCALAR);
    assert_int_equal(p.body.len, 0);
    p = take_packet(&b, ours, CMD_REPLY);
    assert_int_equal(p.flag, 0);
    assert_true(span_is(p.body, "i:20;"));
    ask(plain, CMD_GET_ALL_CLIENT_SESSIONS, "");
    turn_until_closed(&b, plain);
    assert_int_equal(g->jobs.answers_n, 0);
    phantoms_remove(g);
    close(ours);
    close(plain);
    bench_end(&b);
}

/* ---- the common case ---- */

static void short_answers_need_no_memory(void **state)
{
    struct gateway_bench b;
    bench_start(&b, "");
    phantoms_add(b.self, 20, 2);
    int fd = dial(&b, 1);
    struct allocs mark = {0};
    for (int round = 0; round < 110; round++) {
        if (round == 10)
            mark = allocs_mark();
        ask(fd, CMD_GET_ALL_CLIENT_SESSIONS, "");
        take_answer(&b, fd);
        ask(fd, CMD_GET_CLIENT_SESSIONS_BY_GROUP, "room1");
        take_answer(&b, fd);
        ask(fd, CMD_GET_CLIENT_ID_BY_UID, "everybody");
        take_answer(&b, fd);
        ask(fd, CMD_GET_GROUP_ID_LIST, "");
        check_next(&b, fd, "a:2:{i:0;s:5:\"room1\";i:1;s:5:\"room0\";}");
    }
    assert_int_equal(allocs_since(mark), 0);
    phantoms_remove(b.self);
    close(fd);
    bench_end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_answers_have_the_bytes_of_short_ones),
        cmocka_unit_test(many_groups),
        cmocka_unit_test(clients_come_and_go_between_slices),
        cmocka_unit_test(a_group_ends_between_slices),
        cmocka_unit_test(ungroup_leaves_no_trace),
        cmocka_unit_test(ungroup_outlives_its_peer),
        cmocka_unit_test(answers_come_in_the_order_of_the_requests),
        cmocka_unit_test(several_peers_at_once),
        cmocka_unit_test(peers_die_in_the_middle),
        cmocka_unit_test(a_peer_that_does_not_read_is_closed),
        cmocka_unit_test(a_long_answer_behind_many_short_ones),
        cmocka_unit_test(long_answers_come_in_parts),
        cmocka_unit_test(malformed_query_costs_a_link_no_other_answer),
        cmocka_unit_test(too_large_an_answer_is_none),
        cmocka_unit_test(short_answers_need_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

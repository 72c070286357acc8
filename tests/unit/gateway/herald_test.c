/* herald: what links hear of groups and uids, at first and later, and when it is too much. */
#include "gateway/herald.h"

#include "gateway_fixture.h"
#include "proto/interest.h"

static const char GREETING[] =
    "{\"worker_key\":\"w:0\",\"secret_key\":\"\",\"gatehouse\":1,\"interest\":1}";

static int listen_to(const struct gateway_bench *b)
{
    int fd = attach_as(b, GREETING);
    take_packet(b, fd, CMD_HELLO);
    return fd;
}

/* The next CMD_INTEREST as text: "+r -uid:u ", "?" for unknown and "!" for known. */
static const char *words(const struct gateway_bench *b, int fd)
{
    static const char marks[] = "+-?!";
    static char text[512];
    struct wire_packet p = take_packet(b, fd, CMD_INTEREST);
    struct interest_entry e;
    size_t len = 0;
    text[0] = '\0';
    while (interest_next(&p.body, &e) > 0)
        len += (size_t)snprintf(text + len, sizeof text - len, "%c%s%.*s ", marks[e.word],
                                e.kind == INTEREST_UIDS ? "uid:" : "", (int)e.name.len,
                                (const char *)e.name.at);
    return text;
}

static void join(int fd, uint32_t id, const char *group)
{
    put_cmd(fd, CMD_JOIN_GROUP, id, span_str(group), span_of(NULL, 0));
}

static void leave(int fd, uint32_t id, const char *group)
{
    put_cmd(fd, CMD_LEAVE_GROUP, id, span_str(group), span_of(NULL, 0));
}

static void a_new_link_hears_all_and_then_changes(void **state)
{
    struct gateway_bench b;
    bench_start(&b, "");
    int worker = attach(&b), client = dial(&b, 0);
    take_packet(&b, worker, CMD_ON_CONNECT);
    join(worker, 1, "a");
    put_cmd(worker, CMD_BIND_UID, 1, span_str("u"), span_of(NULL, 0));
    turn(&b, 10);
    int fd = dial(&b, 1);
    put_packet(fd, &(struct wire_packet){
                       .cmd = CMD_GATEWAY_CLIENT_CONNECT,
                       .flag = WIRE_SCALAR,
                       .body = span_str("{\"secret_key\":\"\",\"gatehouse\":1,\"packets\":1,"
                                        "\"interest\":1}")});
    take_packet(&b, fd, CMD_HELLO);
    assert_string_equal(words(&b, fd), "+a ! +uid:u !uid: ");
    join(worker, 1, "b");
    assert_string_equal(words(&b, fd), "+b ");
    close(client);
    assert_string_equal(words(&b, fd), "-a -b -uid:u ");
    close(fd);
    close(worker);
    bench_end(&b);
}

/* Behind the change that its command made, so that the peer may rely on what it heard. */
static void a_ping_is_answered_behind_the_changes(void **state)
{
    struct gateway_bench b;
    bench_start(&b, "");
    int fd = listen_to(&b), client = dial(&b, 0);
    assert_string_equal(words(&b, fd), "! !uid: ");
    take_packet(&b, fd, CMD_ON_CONNECT);
    join(fd, 1, "a");
    put_cmd(fd, CMD_PING, 7, span_of(NULL, 0), span_of(NULL, 0));
    assert_string_equal(words(&b, fd), "+a ");
    assert_int_equal(take_packet(&b, fd, CMD_PONG).connection_id, 7);
    leave(fd, 1, "a");
    join(fd, 1, "a");
    put_cmd(fd, CMD_PING, 8, span_of(NULL, 0), span_of(NULL, 0));
    put_cmd(fd, CMD_PING, 9, span_of(NULL, 0), span_of(NULL, 0));
    uint32_t number = 0;
    while (number != 9) /* the three may have been read in two turns */
        number = take_packet(&b, fd, CMD_PONG).connection_id;
    close(client);
    close(fd);
    bench_end(&b);
}

static bool is_news(const struct gateway_bench *b, const char *group, uint32_t heard)
{
    const struct notice_page *page = notices_page(b->notices, NOTICES_N - 1);
    return notice_is_news(page, INTEREST_GROUPS, span_str(group), heard);
}

/* Whoever has not read of a name finds it on the page, also when every name counts; whoever has
 * read all that was said finds nothing. */
static void the_page_tells_who_has_not_heard(void **state)
{
    struct gateway_bench b;
    bench_start(&b, "interest_max = 1");
    int fd = attach_as(&b, GREETING);
    char page[NOTICES_NAME_MAX], hello[128];
    notices_name(b.notices, NOTICES_N - 1, page);
    snprintf(hello, sizeof hello, "{\"gatehouse\":1,\"interest\":1,\"notices\":\"%s\"}", page);
    assert_true(span_is(take_packet(&b, fd, CMD_HELLO).body, hello));
    uint32_t first = take_packet(&b, fd, CMD_INTEREST).connection_id;
    int client = dial(&b, 0);
    take_packet(&b, fd, CMD_ON_CONNECT);
    assert_false(is_news(&b, "a", first));
    join(fd, 1, "a");
    uint32_t second = take_packet(&b, fd, CMD_INTEREST).connection_id;
    assert_true(is_news(&b, "a", first));
    assert_false(is_news(&b, "a", second));
    join(fd, 1, "b");
    assert_string_equal(words(&b, fd), "+b ");
    assert_string_equal(words(&b, fd), "? ");
    join(fd, 1, "c"); /* of which nobody is told */
    turn(&b, 10);
    assert_true(is_news(&b, "c", second));
    leave(fd, 1, "a");
    leave(fd, 1, "b");
    leave(fd, 1, "c");
    uint32_t last = take_packet(&b, fd, CMD_INTEREST).connection_id;
    assert_false(is_news(&b, "c", last));
    close(client);
    close(fd);
    bench_end(&b);
}

/* Too many names: every one counts, until half of them are gone. */
static void beyond_the_limit_every_name_counts(void **state)
{
    struct gateway_bench b;
    bench_start(&b, "interest_max = 4");
    int fd = listen_to(&b), client = dial(&b, 0);
    char name[] = "a";
    assert_string_equal(words(&b, fd), "! !uid: ");
    take_packet(&b, fd, CMD_ON_CONNECT);
    for (; name[0] <= 'd'; name[0]++) {
        join(fd, 1, name);
        words(&b, fd);
    }
    join(fd, 1, "e");
    assert_string_equal(words(&b, fd), "+e ");
    assert_string_equal(words(&b, fd), "? ");
    int late = attach_as(&b, "{\"worker_key\":\"w:1\",\"secret_key\":\"\",\"gatehouse\":1,"
                             "\"interest\":1}");
    take_packet(&b, late, CMD_HELLO);
    assert_string_equal(words(&b, late), "!uid: ");
    leave(fd, 1, "a");
    leave(fd, 1, "b");
    leave(fd, 1, "c");
    assert_string_equal(words(&b, fd), "+d +e ! ");
    assert_string_equal(words(&b, late), "+d +e ! ");
    close(client);
    close(late);
    close(fd);
    bench_end(&b);
}

static void with_zero_nothing_is_told(void **state)
{
    struct gateway_bench b;
    bench_start(&b, "interest_max = 0");
    int fd = listen_to(&b);
    put_cmd(fd, CMD_PING, 1, span_of(NULL, 0), span_of(NULL, 0));
    take_packet(&b, fd, CMD_PONG);
    close(fd);
    bench_end(&b);
}

/* A link that reads nothing is told nothing but that it knows nothing; then all over again. */
static void a_link_that_is_behind_hears_all_again(void **state)
{
    enum { NAMES_N = 24, CHANGES_N = 40000 };
    struct gateway_bench b;
    bench_start(&b, "");
    int fd = listen_to(&b), worker = attach_as(&b, "{\"worker_key\":\"w:1\",\"secret_key\":\"\","
                                                   "\"gatehouse\":1}");
    take_packet(&b, worker, CMD_HELLO);
    struct gateway *g = b.self;
    struct peer *p = CONTAINER_OF(g->inner.peers.next, struct peer, node);
    struct client *c = clients_add(&g->clients);
    char name[256];
    for (int i = 0; i < CHANGES_N && !p->audience.is_behind; i++) {
        snprintf(name, sizeof name, "%0200d", i);
        groups_join(&g->groups, c, span_str(name));
        if (i % NAMES_N == 0)
            turn(&b, 1);
    }
    assert_true(p->audience.is_behind);
    size_t names_n = groups_len(&g->groups), heard_n = 0;
    uint64_t queued = conn_queued(p->conn);
    groups_join(&g->groups, c, span_str("one more"));
    turn(&b, 1);
    assert_int_equal(conn_queued(p->conn), queued);
    static uint8_t bytes[64 * 1024];
    bool is_known = false, is_again = false;
    while (!is_known) {
        struct wire_packet packet;
        struct interest_entry e;
        take(&b, fd, bytes, 4);
        size_t len = get_u32be(bytes);
        assert_in_range(len, WIRE_HEAD, sizeof bytes);
        take(&b, fd, bytes + 4, len - 4);
        assert_int_equal(wire_decode(span_of(bytes, len), SIZE_MAX, &packet), len);
        while (interest_next(&packet.body, &e) > 0) {
            is_again = is_again || e.word == INTEREST_UNKNOWN;
            heard_n += is_again && e.word == INTEREST_HELD;
            is_known = is_again && e.word == INTEREST_KNOWN && e.kind == INTEREST_GROUPS;
            if (is_known)
                break;
        }
    }
    assert_int_equal(heard_n, names_n + 1);
    groups_leave_all(&g->groups, c);
    clients_remove(&g->clients, c);
    close(worker);
    close(fd);
    bench_end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_link_hears_all_and_then_changes),
        cmocka_unit_test(a_ping_is_answered_behind_the_changes),
        cmocka_unit_test(the_page_tells_who_has_not_heard),
        cmocka_unit_test(beyond_the_limit_every_name_counts),
        cmocka_unit_test(with_zero_nothing_is_told),
        cmocka_unit_test(a_link_that_is_behind_hears_all_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

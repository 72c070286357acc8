/* Rows of `gatehouse connections`: clients, then peers, for as long as somebody wants more. */
#include "gateway/table.h"

#include "gateway_fixture.h"

enum { ROWS_MAX = 8 };

struct page {
    struct role_connection rows[ROWS_MAX];
    size_t n;
    size_t enough_n;
};

static bool add_row(void *ctx, const struct role_connection *row)
{
    struct page *p = ctx;
    assert_in_range(p->n, 0, p->enough_n - 1); /* nobody is asked again who had enough */
    p->rows[p->n++] = *row;
    return p->n < p->enough_n;
}

static struct page list(const struct gateway_bench *b, size_t enough_n)
{
    struct page p = {.enough_n = enough_n};
    table_connections(b->self, add_row, &p);
    return p;
}

static void check_row(const struct role_connection *r, uint64_t id, const char *protocol,
                      const char *state)
{
    assert_int_equal(r->id, id);
    assert_string_equal(r->protocol, protocol);
    assert_string_equal(r->state, state);
    assert_string_equal(r->transport, "tcp");
    assert_int_equal(strncmp(r->remote, "127.0.0.1:", 10), 0);
}

static void clients_stand_before_peers(void **state)
{
    struct gateway_bench b;
    bench_start(&b, "secret_key = k");
    assert_int_equal(list(&b, ROWS_MAX).n, 0);
    int worker = attach_as(&b, "{\"secret_key\":\"k\",\"gatehouse\":1}");
    take_packet(&b, worker, CMD_HELLO);
    int first = dial(&b, 0), stranger = dial(&b, 1);
    take_packet(&b, worker, CMD_ON_CONNECT);
    put(first, "12345\n", 6);
    take_packet(&b, worker, CMD_ON_MESSAGE);
    int second = dial(&b, 0);
    take_packet(&b, worker, CMD_ON_CONNECT);
    struct page p = list(&b, ROWS_MAX);
    for (int i = 0; i < TURNS_MAX && p.n < 4; i++) {
        turn(&b, 1);
        p = list(&b, ROWS_MAX);
    }
    assert_int_equal(p.n, 4);
    check_row(&p.rows[0], 1, "text", "ESTABLISHED");
    assert_int_equal(p.rows[0].read_bytes, 6);
    check_row(&p.rows[1], 2, "text", "ESTABLISHED");
    check_row(&p.rows[2], 1, "wire", "ESTABLISHED");
    check_row(&p.rows[3], 2, "wire", "HANDSHAKE"); /* it has not shown the key */
    for (size_t enough_n = 1; enough_n <= 4; enough_n++)
        assert_int_equal(list(&b, enough_n).n, enough_n);
    for (size_t i = 0; i < 4; i++)
        close((int[]){first, second, stranger, worker}[i]);
    bench_end(&b);
}

static void a_client_without_its_handshake_is_shown_as_such(void **state)
{
    struct gateway_bench b;
    bench_start_on(&b, "websocket", "");
    int client = dial(&b, 0);
    put(client, "GET / HT", 8);
    struct page p = {0};
    for (int i = 0; i < TURNS_MAX && p.n == 0; i++) {
        turn(&b, 1);
        p = list(&b, ROWS_MAX);
    }
    assert_int_equal(p.n, 1);
    check_row(&p.rows[0], 1, "websocket", "HANDSHAKE");
    close(client);
    bench_end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_stand_before_peers),
        cmocka_unit_test(a_client_without_its_handshake_is_shown_as_such),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Sends with and without a receipt, over gateways that count, that do not, and that fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <gw/gateway.h>

#include "base/compiler.h"
#include "client/command.h"
#include "client/io.h"
#include "support/allocs.h"
#include "support/vectors.h"

enum { FIRST_PORT = 2300, GATEWAYS = 3 };

/* Gateways 127.0.0.1:2300 and on: what each is, and what it was sent. */
struct gateway {
    bool is_ours;
    int send_rc;        /* of io->send */
    int ask_rc;         /* of io->ask, when it is asked */
    const char *answer; /* to CMD_RECEIPT */
    size_t sent_n;
    size_t asked_n;
    uint8_t asked_cmd;
    struct buf last; /* the last packet */
};

struct scene {
    struct gw gw;
    struct addr_book book;
    struct gateway gateways[GATEWAYS];
    size_t agreed_n, depth, depth_max;
};

static struct scene *scene_of(struct gw *gw)
{
    return CONTAINER_OF(gw, struct scene, gw);
}

static struct gateway *find(struct gw *gw, struct gateway_at at)
{
    return &scene_of(gw)->gateways[at.port - FIRST_PORT];
}

static void begin(struct gw *gw)
{
    struct scene *s = scene_of(gw);

    s->depth++;
    s->depth_max = s->depth > s->depth_max ? s->depth : s->depth_max;
}

static void end(struct gw *gw)
{
    scene_of(gw)->depth--;
}

static int gateways(struct gw *gw, const struct addr_book **out)
{
    *out = &scene_of(gw)->book;
    return (*out)->len > 0 ? 0 : GW_ENOGATEWAY;
}

static int put_send(struct gw *gw, struct gateway_at to, const struct wire_packet *p)
{
    struct gateway *g = find(gw, to);

    g->sent_n++;
    buf_clear(&g->last);
    wire_put(&g->last, p);
    return g->send_rc;
}

static int settle(struct gw *gw)
{
    return 0;
}

static void ask(struct gw *gw, const struct wire_packet *p, struct fanout *f)
{
    for (size_t i = 0; i < f->n; i++) {
        struct gateway *g = find(gw, f->targets[i].at);
        if (f->targets[i].rc < 0 || f->targets[i].is_silent)
            continue;
        g->asked_n++;
        g->asked_cmd = p->cmd;
        f->targets[i].rc = g->ask_rc;
        if (g->ask_rc == 0)
            buf_puts(&f->targets[i].answer, g->answer);
    }
}

static void agree(struct gw *gw, const struct addr_book *book)
{
    scene_of(gw)->agreed_n += book->len;
}

static bool is_ours(struct gw *gw, struct gateway_at at)
{
    return find(gw, at)->is_ours;
}

static const struct gw_io scene_io = {.begin = begin,
                                      .end = end,
                                      .gateways = gateways,
                                      .send = put_send,
                                      .settle = settle,
                                      .ask = ask,
                                      .agree = agree,
                                      .is_ours = is_ours};

static int set_up(void **state)
{
    static struct scene s;

    s = (struct scene){.gw = {.io = &scene_io}};
    for (uint16_t i = 0; i < GATEWAYS; i++) {
        addr_book_add(&s.book,
                      (struct gateway_at){.ip = 0x7f000001, .port = (uint16_t)(FIRST_PORT + i)});
        s.gateways[i] = (struct gateway){.is_ours = true, .answer = "i:2;"};
    }
    *state = &s;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;

    for (size_t i = 0; i < GATEWAYS; i++)
        buf_fini(&s->gateways[i].last);
    buf_fini(&s->gw.ext);
    addr_book_fini(&s->book);
    assert_int_equal(s->depth, 0);
    return 0;
}

/* ---- tests ---- */

static void test_a_plain_send_neither_asks_nor_allocates(void **state)
{
    struct scene *s = *state;

    assert_int_equal(gw_send_to_group(&s->gw, gw_str("g"), gw_str("warm")), 0);
    struct allocs before = allocs_mark();
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(gw_send_to_group(&s->gw, gw_str("g"), gw_str("text")), 0);
    assert_int_equal(allocs_since(before), 0);
    assert_int_equal(s->gateways[0].sent_n, 101);
    assert_int_equal(s->gateways[0].asked_n, 0);
    assert_int_equal(s->agreed_n, 0);
}

static void test_receipts_are_summed(void **state)
{
    struct scene *s = *state;
    const struct gw_receipt *receipt = NULL;
    struct gw_send how = {.receipt = &receipt};

    s->gateways[1].answer = "i:5;";
    assert_int_equal(gw_send_to_all(&s->gw, gw_str("x"), &how), 0);
    assert_int_equal(s->agreed_n, GATEWAYS);
    assert_int_equal(s->gateways[2].asked_cmd, CMD_RECEIPT);
    assert_int_equal(receipt->receivers, 9);
    assert_int_equal(receipt->n, GATEWAYS);
    assert_string_equal(receipt->gateways[1].address, "127.0.0.1:2301");
    assert_int_equal(receipt->gateways[1].receivers, 5);
    gw_result_free(receipt);
}

static void test_the_original_is_sent_to_without_being_asked(void **state)
{
    struct scene *s = *state;
    const struct gw_receipt *receipt = NULL;
    struct gw_send how = {.receipt = &receipt};

    s->gateways[0].is_ours = false;
    assert_int_equal(gw_send_to_all(&s->gw, gw_str("x"), &how), 0);
    assert_int_equal(s->gateways[0].sent_n, 1);
    assert_int_equal(s->gateways[0].asked_n, 0);
    assert_int_equal(receipt->receivers, 4);
    assert_int_equal(receipt->gateways[0].rc, 0);
    assert_int_equal(receipt->gateways[0].receivers, -1);
    gw_result_free(receipt);
}

static void test_failures_stand_beside_the_rest(void **state)
{
    struct scene *s = *state;
    const struct gw_receipt *receipt = NULL;
    struct gw_send how = {.receipt = &receipt};

    s->gateways[0].send_rc = -111;
    s->gateways[1].ask_rc = GW_ETIMEOUT;
    assert_int_equal(gw_send_to_all(&s->gw, gw_str("x"), &how), GW_EPARTIAL);
    assert_int_equal(s->gateways[0].asked_n, 0);
    assert_int_equal(receipt->receivers, 2);
    assert_int_equal(receipt->gateways[0].rc, -111);
    assert_int_equal(receipt->gateways[1].rc, GW_ETIMEOUT);
    assert_int_equal(receipt->gateways[1].receivers, -1);
    gw_result_free(receipt);

    s->gateways[2].answer = "s:1:\"x\";";
    assert_int_equal(gw_send_to_all(&s->gw, gw_str("x"), &how), -111);
    assert_int_equal(receipt->gateways[2].rc, GW_EPROTO);
    gw_result_free(receipt);

    s->gateways[2].answer = "i:-1;";
    assert_int_equal(gw_send_to_all(&s->gw, gw_str("x"), &how), -111);
    assert_int_equal(receipt->gateways[2].rc, GW_EPROTO);
    gw_result_free(receipt);
}

static void test_only_the_gateways_that_are_meant(void **state)
{
    static const char *const ids[] = {"7f00000108fd00000007"}; /* on 127.0.0.1:2301 */
    struct scene *s = *state;
    const struct gw_receipt *receipt = NULL;
    struct gw_send how = {.only_ids = ids, .only_n = 1, .receipt = &receipt};

    assert_int_equal(gw_send_to_all(&s->gw, gw_str("x"), &how), 0);
    assert_int_equal(receipt->n, 1);
    assert_string_equal(receipt->gateways[0].address, "127.0.0.1:2301");
    gw_result_free(receipt);
    assert_int_equal(gw_send_to_client_with(&s->gw, ids[0], gw_str("x"), &how), 0);
    assert_int_equal(receipt->n, 1);
    gw_result_free(receipt);
    assert_int_equal(s->gateways[0].sent_n + s->gateways[2].sent_n, 0);
    assert_int_equal(s->gateways[1].sent_n, 2);
}

/* The pointer must not keep what was in it before. */
static void test_no_receipt_when_nothing_is_sent(void **state)
{
    struct scene *s = *state;
    static const struct gw_receipt stale;
    const struct gw_receipt *receipt = &stale;
    struct gw_send how = {.receipt = &receipt};
    struct gw_bytes empty = gw_str("");

    assert_int_equal(gw_send_to_uids(&s->gw, &empty, 1, gw_str("x"), &how), GW_EBADNAME);
    assert_null(receipt);
    receipt = &stale;
    assert_int_equal(gw_send_to_groups(&s->gw, NULL, 0, gw_str("x"), &how), 0);
    assert_null(receipt);
    receipt = &stale;
    assert_int_equal(gw_send_to_client_with(&s->gw, "nonsense", gw_str("x"), &how), GW_EBADID);
    assert_null(receipt);
    receipt = &stale;
    assert_int_equal(gw_send_to_client_with(&s->gw, "0a00000108fd00000007", gw_str("x"), &how),
                     GW_ENOGATEWAY);
    assert_null(receipt);
    addr_book_clear(&s->book);
    receipt = &stale;
    assert_int_equal(gw_send_to_all(&s->gw, gw_str("x"), &how), GW_ENOGATEWAY);
    assert_null(receipt);
}

static void test_binary_is_agreed_first(void **state)
{
    struct scene *s = *state;
    struct gw_send how = {.is_binary = true};

    assert_int_equal(gw_send_to_all(&s->gw, gw_str("x"), &how), 0);
    assert_int_equal(s->agreed_n, GATEWAYS);
}

/* ---- uids ---- */

static void test_who_of_many_is_online(void **state)
{
    struct scene *s = *state;
    struct gw_bytes uids[] = {gw_str("b"), gw_str("5"), gw_str("a"), gw_str("b")};
    bool is_online[ARRAY_LEN(uids)];

    s->gateways[0].answer = "a:3:{s:1:\"b\";a:0:{}i:5;a:1:{i:0;i:7;}s:1:\"a\";a:0:{}}";
    s->gateways[1].answer = "a:3:{s:1:\"b\";a:1:{i:0;i:1;}i:5;a:0:{}s:1:\"a\";a:0:{}}";
    s->gateways[2].ask_rc = GW_ETIMEOUT;
    assert_int_equal(gw_are_uids_online(&s->gw, uids, ARRAY_LEN(uids), is_online), GW_EPARTIAL);
    assert_int_equal(s->gateways[0].asked_cmd, CMD_BATCH_GET_CLIENT_ID_BY_UID);
    assert_true(is_online[0] && is_online[1] && !is_online[2] && is_online[3]);

    s->gateways[0].ask_rc = s->gateways[1].ask_rc = GW_ETIMEOUT;
    assert_int_equal(gw_are_uids_online(&s->gw, uids, ARRAY_LEN(uids), is_online), GW_ETIMEOUT);
    assert_false(is_online[0] || is_online[1] || is_online[3]);
}

static void test_closing_all_clients_of_a_uid(void **state)
{
    struct scene *s = *state;
    struct wire_packet p;

    s->gateways[0].answer = "a:2:{i:0;i:7;i:1;i:9;}";
    s->gateways[1].answer = "a:1:{i:0;i:1;}";
    s->gateways[2].answer = "a:0:{}";
    assert_int_equal(gw_close_uid(&s->gw, gw_str("u"), gw_str("bye")), 3);
    assert_int_equal(s->gateways[0].sent_n, 2);
    assert_int_equal(s->gateways[1].sent_n, 1);
    assert_int_equal(s->gateways[2].sent_n, 0);
    assert_true(wire_decode(buf_span(&s->gateways[0].last), 1024, &p) > 0);
    assert_int_equal(p.cmd, CMD_KICK);
    assert_int_equal(p.connection_id, 9);
    assert_bytes("the farewell", p.body, span_str("bye"));
    assert_int_equal(s->depth_max, 2); /* one deadline around the question and the sends */

    s->gateways[1].ask_rc = GW_ETIMEOUT;
    assert_int_equal(gw_close_uid(&s->gw, gw_str("u"), gw_str("bye")), GW_EPARTIAL);
    assert_int_equal(s->gateways[0].sent_n, 4);
}

int main(void)
{
#define WITH_SCENE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_SCENE(test_a_plain_send_neither_asks_nor_allocates),
        WITH_SCENE(test_receipts_are_summed),
        WITH_SCENE(test_the_original_is_sent_to_without_being_asked),
        WITH_SCENE(test_failures_stand_beside_the_rest),
        WITH_SCENE(test_only_the_gateways_that_are_meant),
        WITH_SCENE(test_no_receipt_when_nothing_is_sent),
        WITH_SCENE(test_binary_is_agreed_first),
        WITH_SCENE(test_who_of_many_is_online),
        WITH_SCENE(test_closing_all_clients_of_a_uid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

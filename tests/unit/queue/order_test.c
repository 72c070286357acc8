/* order: every call becomes its commands, and whatever is wrong is named and sends nothing. */
#include "queue/order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <gw/err.h>

#include "base/buf.h"
#include "client/io.h"

/* A gateway 127.0.0.1:2900 that writes down what it is sent: "NAME connection ext body\n". */
static struct addr_book book;
static struct buf sent;
static int send_rc;

static int gateways(struct gw *gw, const struct addr_book **out)
{
    *out = &book;
    return 0;
}

static int record(struct gw *gw, struct gateway_at to, const struct wire_packet *p)
{
    if (send_rc < 0)
        return send_rc;
    buf_printf(&sent, "%s %u ", wire_cmd_name(p->cmd), p->connection_id);
    buf_put_span(&sent, p->ext);
    buf_putc(&sent, ' ');
    buf_put_span(&sent, p->body);
    buf_putc(&sent, '\n');
    return 0;
}

static int settle(struct gw *gw)
{
    return 0;
}

static const struct gw_io io = {.gateways = gateways, .send = record, .settle = settle};
static struct gw gw = {.io = &io};

static int setup(void **state)
{
    buf_clear(&sent);
    send_rc = 0;
    addr_book_clear(&book);
    return addr_book_add_text(&book, "127.0.0.1:2900");
}

static int teardown(void **state)
{
    buf_fini(&sent);
    buf_fini(&gw.ext);
    addr_book_fini(&book);
    return 0;
}

#define ID1 "7f0000010b5400000001"
#define ID2 "7f0000010b5400000002"

static void assert_sends(const char *order, const char *expected)
{
    char reason[ORDER_REASON_MAX];
    buf_clear(&sent);
    int rc = order_run(&gw, gw_str(order), reason);
    if (rc < 0)
        fail_msg("%s: %d %s", order, rc, reason);
    assert_string_equal(buf_cstr(&sent), expected);
    assert_string_equal(reason, "");
}

static void calls_become_commands(void **state)
{
    assert_sends("{\"call\":\"sendToAll\",\"message\":\"hi\"}", "CMD_SEND_TO_ALL 0  hi\n");
    assert_sends("{\"call\":\"sendToAll\",\"message\":\"hi\",\"exclude\":\"" ID2 "\"}",
                 "CMD_SEND_TO_ALL 0 {\"exclude\":{\"2\":2}} hi\n");
    assert_sends("{\"call\":\"sendToAll\",\"message\":\"hi\",\"client\":[\"" ID1 "\"]}",
                 "CMD_SEND_TO_ALL 0 {\"connections\":{\"1\":1}} hi\n");
    assert_sends("{\"call\":\"sendToClient\",\"client\":[\"" ID1 "\",\"" ID2
                 "\"],\"message\":\"\"}",
                 "CMD_SEND_TO_ONE 1  \nCMD_SEND_TO_ONE 2  \n");
    assert_sends("{\"call\":\"sendToUid\",\"uid\":[42,\"x\"],\"message\":\"m\"}",
                 "CMD_SEND_TO_UID 0 [\"42\",\"x\"] m\n");
    assert_sends("{\"call\":\"sendToGroup\",\"group\":\"news\",\"message\":\"m\"}",
                 "CMD_SEND_TO_GROUP 0 {\"group\":[\"news\"],\"exclude\":null} m\n");
    assert_sends("{\"call\":\"closeClient\",\"client\":\"" ID1 "\",\"message\":\"bye\"}",
                 "CMD_KICK 1  bye\n");
    assert_sends("{\"call\":\"closeClient\",\"client\":\"" ID1 "\"}", "CMD_KICK 1  N;\n");
    assert_sends("{\"call\":\"destroyClient\",\"client\":\"" ID1 "\"}", "CMD_DESTROY 1  \n");
    assert_sends("{\"call\":\"bindUid\",\"client\":\"" ID1 "\",\"uid\":-7}",
                 "CMD_BIND_UID 1 -7 \n");
    assert_sends("{\"call\":\"unbindUid\",\"client\":\"" ID1 "\"}", "CMD_UNBIND_UID 1  \n");
    assert_sends("{\"call\":\"joinGroup\",\"client\":[\"" ID1 "\",\"" ID2
                 "\"],\"group\":[\"a\",\"b\"]}",
                 "CMD_JOIN_GROUP 1 a \nCMD_JOIN_GROUP 1 b \nCMD_JOIN_GROUP 2 a \n"
                 "CMD_JOIN_GROUP 2 b \n");
    assert_sends("{\"call\":\"leaveGroup\",\"client\":\"" ID1 "\",\"group\":\"a\"}",
                 "CMD_LEAVE_GROUP 1 a \n");
    assert_sends("{\"call\":\"ungroup\",\"group\":[\"a\",1]}",
                 "CMD_UNGROUP 0 a \nCMD_UNGROUP 0 1 \n");
    assert_sends("{\"call\":\"setSession\",\"client\":\"" ID1 "\",\"session\":{\"a\":1}}",
                 "CMD_SET_SESSION 1 a:1:{s:1:\"a\";i:1;} \n");
    assert_sends("{\"call\":\"updateSession\",\"client\":\"" ID1 "\",\"session\":{}}",
                 "CMD_UPDATE_SESSION 1 a:0:{} \n");
}

static void a_message_that_is_no_text_travels_as_json(void **state)
{
    assert_sends(
        "{\"call\":\"sendToAll\",\"message\":{\"type\":\"x\",\"n\":[1,null]},\"id\":\"job 7\"}",
        "CMD_SEND_TO_ALL 0  {\"type\":\"x\",\"n\":[1,null]}\n");
    assert_sends("{\"call\":\"sendToAll\",\"message\":5}", "CMD_SEND_TO_ALL 0  5\n");
}

static void what_is_wrong_is_named_and_sends_nothing(void **state)
{
    static const struct {
        const char *order;
        const char *reason;
    } wrong[] = {
        {"", "line 1"},
        {"{", "line 1"},
        {"[1]", "an order is a JSON object"},
        {"{\"call\":7}", "\"call\" is missing"},
        {"{\"call\":\"toString\"}", "\"toString\" is no call"},
        {"{\"call\":\"sendToAll\"}", "sendToAll needs the member \"message\""},
        {"{\"call\":\"sendToAll\",\"message\":\"x\",\"exlude\":[]}", "no member \"exlude\""},
        {"{\"call\":\"sendToAll\",\"message\":\"x\",\"exclude\":[]}", "exclude must be text"},
        {"{\"call\":\"sendToAll\",\"message\":\"x\",\"exclude\":[\"" ID1 "\",\"12\"]}",
         "exclude: a client id"},
        {"{\"call\":\"sendToUid\",\"uid\":1.5,\"message\":\"x\"}", "uid must be text"},
        {"{\"call\":\"sendToUid\",\"uid\":\"\",\"message\":\"x\"}", "uid must be text"},
        {"{\"call\":\"sendToUid\",\"uid\":\"a\\u0000b\",\"message\":\"x\"}", "uid must be text"},
        {"{\"call\":\"sendToUid\",\"uid\":{\"a\":1},\"message\":\"x\"}", "uid must be text"},
        {"{\"call\":\"joinGroup\",\"client\":\"" ID1 "\",\"group\":[\"a\",[\"b\"]]}",
         "group must be text"},
        {"{\"call\":\"setSession\",\"client\":\"" ID1 "\",\"session\":\"{}\"}", "session must be"},
        {"{\"call\":\"bindUid\",\"client\":\"" ID1 "\"}", "bindUid needs the member \"uid\""},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char reason[ORDER_REASON_MAX];
        int rc = order_run(&gw, gw_str(wrong[i].order), reason);
        assert_int_equal(rc, GW_EPROTO);
        if (!strstr(reason, wrong[i].reason))
            fail_msg("%s: \"%s\"", wrong[i].order, reason);
        assert_int_equal(sent.len, 0);
    }
}

static void names_have_255_bytes_at_most(void **state)
{
    char order[400];
    char reason[ORDER_REASON_MAX];
    char name[257];
    memset(name, 'x', sizeof name);
    name[256] = '\0';
    snprintf(order, sizeof order, "{\"call\":\"ungroup\",\"group\":\"%s\"}", name);
    assert_int_equal(order_run(&gw, gw_str(order), reason), GW_EPROTO);
    name[255] = '\0';
    snprintf(order, sizeof order, "{\"call\":\"ungroup\",\"group\":\"%s\"}", name);
    assert_int_equal(order_run(&gw, gw_str(order), reason), 0);
}

static void what_the_call_returned_comes_back(void **state)
{
    char reason[ORDER_REASON_MAX];
    send_rc = GW_ETOOBIG;
    assert_int_equal(
        order_run(&gw, gw_str("{\"call\":\"ungroup\",\"group\":[\"a\",\"b\"]}"), reason),
        GW_ETOOBIG);
    assert_string_equal(reason, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(calls_become_commands, setup, teardown),
        cmocka_unit_test_setup_teardown(a_message_that_is_no_text_travels_as_json, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_wrong_is_named_and_sends_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(names_have_255_bytes_at_most, setup, teardown),
        cmocka_unit_test_setup_teardown(what_the_call_returned_comes_back, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

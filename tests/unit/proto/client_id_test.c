/* client_id: the recorded ids both ways, and texts that are none. */
#include "proto/client_id.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <gw/err.h>

#include "support/vectors.h"

static struct client_id id_of(const json_t *vector)
{
    struct in_addr ip;

    assert_int_equal(
        inet_pton(AF_INET, json_string_value(json_object_get(vector, "local_ip")), &ip), 1);
    return (struct client_id){
        .ip = ntohl(ip.s_addr),
        .port = (uint16_t)json_integer_value(json_object_get(vector, "local_port")),
        .connection_id = (uint32_t)json_integer_value(json_object_get(vector, "connection_id")),
    };
}

static void recorded_ids(void **state)
{
    json_t *root = vectors_load("small-functions.json");
    json_t *vector;
    size_t i;

    assert_int_equal(json_array_size(json_object_get(root, "client_id")), 6);
    json_array_foreach(json_object_get(root, "client_id"), i, vector)
    {
        struct client_id want = id_of(vector), got;
        char text[CLIENT_ID_LEN + 1];

        client_id_text(want, text);
        assert_bytes("client_id", span_str(text), vectors_text(vector, "client_id"));
        assert_int_equal(client_id_parse(span_str(text), &got), 0);
        assert_int_equal(got.ip, want.ip);
        assert_int_equal(got.port, want.port);
        assert_int_equal(got.connection_id, want.connection_id);
    }
    json_decref(root);
}

static void upper_case_is_accepted(void **state)
{
    struct client_id id;

    assert_int_equal(client_id_parse(span_str("C0A80102ABCDEFABCDEF"), &id), 0);
    assert_int_equal(id.ip, 0xc0a80102);
    assert_int_equal(id.port, 0xabcd);
    assert_int_equal(id.connection_id, 0xefabcdef);
}

static void other_texts_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "7f00000108fc0000000",
        "7f00000108fc000000011",
        "7f00000108fc0000000g",
        " f00000108fc00000001",
        "7f00000108fc0000-001",
        "0x000001 8fc00000001",
    };
    struct client_id id;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(client_id_parse(span_str(bad[i]), &id), GW_EBADID);
}

/* Every byte at every place, against the C library. */
static void each_digit_counts(void **state)
{
    for (size_t place = 0; place < CLIENT_ID_LEN; place++)
        for (int byte = 0; byte < 256; byte++) {
            char text[] = "00000000000000000000", want[] = "00000000000000000000";
            struct client_id id;
            char again[CLIENT_ID_LEN + 1];
            text[place] = (char)byte;
            want[place] = (char)tolower(byte);
            int rc = client_id_parse(span_of(text, CLIENT_ID_LEN), &id);
            assert_int_equal(rc, isxdigit(byte) ? 0 : GW_EBADID);
            if (rc < 0)
                continue;
            client_id_text(id, again);
            assert_string_equal(again, want);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_ids),
        cmocka_unit_test(upper_case_is_accepted),
        cmocka_unit_test(other_texts_are_refused),
        cmocka_unit_test(each_digit_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

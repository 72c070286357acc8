/* Lists made of several gateways' answers: names in the order met, joined, owned by the result. */
#include "client/gather.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct gateway_at first = {.ip = 0x7f000001, .port = 2300};
static const struct gateway_at second = {.ip = 0x7f000001, .port = 2301};

static struct gather g;
static struct breath breath;

static int set_up(void **state)
{
    gather_init(&g, &breath);
    return 0;
}

static int tear_down(void **state)
{
    gather_fini(&g);
    return 0;
}

static void check_name(struct gw_bytes name, const char *want)
{
    assert_int_equal(name.len, strlen(want));
    assert_memory_equal(name.data, want, name.len);
}

static void clients_of_a_name_are_joined(void **state)
{
    struct result *r = result_new();
    gather_client(&g, span_str("tom"), first, 1);
    gather_client(&g, span_str("ann"), first, 2);
    gather_name(&g, span_str("nobody"));
    gather_client(&g, span_str("tom"), second, UINT32_MAX);
    gather_clients(&g, r);
    gather_fini(&g); /* the list does not need it any more */
    gather_init(&g, &breath);
    const struct gw_name_clients_list *l = &r->list.name_clients;
    assert_int_equal(l->n, 3);
    check_name(l->at[0].name, "tom");
    assert_int_equal(l->at[0].n, 2);
    assert_string_equal(l->at[0].client_ids[0], "7f00000108fc00000001");
    assert_string_equal(l->at[0].client_ids[1], "7f00000108fdffffffff");
    check_name(l->at[1].name, "ann");
    assert_int_equal(l->at[1].n, 1);
    check_name(l->at[2].name, "nobody");
    assert_int_equal(l->at[2].n, 0);
    gw_result_free(l);
}

/* A gateway may say anything: what is no id makes neither an entry nor a client. */
static void numbers_that_are_no_ids_are_left_out(void **state)
{
    char text[CLIENT_ID_LEN + 1];
    struct result *r = result_new();
    gather_client(&g, span_str("tom"), first, -1);
    gather_client(&g, span_str("tom"), first, (int64_t)UINT32_MAX + 1);
    gather_client(&g, span_str("tom"), first, INT64_MIN);
    assert_int_equal(gather_len(&g), 0);
    assert_true(gather_id_text(first, 0, text));
    assert_string_equal(text, "7f00000108fc00000000");
    gather_clients(&g, r);
    assert_int_equal(r->list.name_clients.n, 0);
    gw_result_free(&r->list);
}

static void counts_add_up(void **state)
{
    struct result *r = result_new();
    gather_count(&g, span_str("a"), 3);
    gather_count(&g, span_str("b"), 0);
    gather_count(&g, span_str("a"), UINT32_MAX);
    gather_count(&g, span_of("a\0", 2), 1); /* another name */
    gather_counts(&g, r);
    const struct gw_name_count_list *l = &r->list.name_counts;
    assert_int_equal(l->n, 3);
    check_name(l->at[0].name, "a");
    assert_int_equal(l->at[0].count, (uint64_t)UINT32_MAX + 3);
    assert_int_equal(l->at[1].count, 0);
    assert_int_equal(l->at[2].name.len, 2);
    gw_result_free(l);
}

static void members_stand_once_within_their_name(void **state)
{
    struct result *r = result_new();
    gather_member(&g, span_str("room"), span_str("tom"));
    gather_member(&g, span_str("other"), span_str("tom"));
    gather_member(&g, span_str("room"), span_str("ann"));
    gather_member(&g, span_str("room"), span_str("tom"));
    gather_members(&g, r);
    const struct gw_name_names_list *l = &r->list.name_names;
    assert_int_equal(l->n, 2);
    check_name(l->at[0].name, "room");
    assert_int_equal(l->at[0].n, 2);
    check_name(l->at[0].names[0], "tom");
    check_name(l->at[0].names[1], "ann");
    check_name(l->at[1].name, "other");
    assert_int_equal(l->at[1].n, 1);
    gw_result_free(l);
}

/* PHP turns "12" into a number as a key; it is the same name. */
static void numbers_are_names(void **state)
{
    char digits[24];
    struct php_key key = {.is_int = true, .num = INT64_MIN};
    assert_true(span_is(gather_key_text(&key, digits), "-9223372036854775808"));
    key = (struct php_key){.text = span_str("text")};
    assert_true(span_is(gather_key_text(&key, digits), "text"));
    int err = 0;
    struct php_doc *doc = php_doc_new();
    const struct php_value *list =
        php_read(doc, span_str("a:3:{i:0;i:7;i:1;s:1:\"x\";i:2;N;}"), &err);
    assert_non_null(list);
    static const char *const want[] = {"7", "x", ""};
    const struct php_value *v;
    size_t pos = 0;
    for (size_t i = 0; php_next(list, &pos, &key, &v); i++)
        assert_true(span_is(gather_value_text(v, digits), want[i]));
    php_doc_free(doc);
}

/* More names than anything here holds at first. */
static void many_names_keep_their_order(void **state)
{
    enum { N = 2000 };
    struct result *r = result_new();
    char text[16];
    for (int i = 0; i < 2 * N; i++) {
        int len = snprintf(text, sizeof(text), "name %d", i % N);
        gather_name(&g, span_of(text, (size_t)len));
    }
    gather_names(&g, r);
    assert_int_equal(r->list.names.n, N);
    for (int i = 0; i < N; i++) {
        snprintf(text, sizeof(text), "name %d", i);
        check_name(r->list.names.names[i], text);
    }
    gw_result_free(&r->list);
    gw_result_free(NULL);
}

#define GATHER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GATHER_TEST(clients_of_a_name_are_joined),
        GATHER_TEST(numbers_that_are_no_ids_are_left_out),
        GATHER_TEST(counts_add_up),
        GATHER_TEST(members_stand_once_within_their_name),
        GATHER_TEST(numbers_are_names),
        GATHER_TEST(many_names_keep_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Answers written by hand: what the original gets wrong, gateways that fail, answers that are none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <gw/gateway.h>

#include "base/compiler.h"
#include "client/io.h"

/* Two gateways, 127.0.0.1:2300 and :2301, with one answer each; an answer of NULL is a failure. */
struct scripted {
    struct gw gw;
    struct addr_book book;
    const char *answers[2];
};

static int gateways(struct gw *gw, const struct addr_book **out)
{
    *out = &CONTAINER_OF(gw, struct scripted, gw)->book;
    return (*out)->len > 0 ? 0 : GW_ENOGATEWAY;
}

static void ask(struct gw *gw, const struct wire_packet *p, struct fanout *f)
{
    struct scripted *s = CONTAINER_OF(gw, struct scripted, gw);

    for (size_t i = 0; i < f->n; i++) {
        const char *answer = s->answers[f->targets[i].at.port - 2300];
        if (answer)
            buf_puts(&f->targets[i].answer, answer);
        else
            f->targets[i].rc = GW_ETIMEOUT;
    }
}

static const struct gw_io scripted_io = {.gateways = gateways, .ask = ask};

static void script(struct scripted *s, const char *first, const char *second)
{
    *s = (struct scripted){.gw = {.io = &scripted_io}, .answers = {first, second}};
    addr_book_add(&s->book, (struct gateway_at){.ip = 0x7f000001, .port = 2300});
    addr_book_add(&s->book, (struct gateway_at){.ip = 0x7f000001, .port = 2301});
}

static void finish(struct scripted *s)
{
    buf_fini(&s->gw.ext);
    addr_book_fini(&s->book);
}

/* The original stops at the first client without groups; ours goes on. */
static void test_groups_of_all_clients(void **state)
{
    struct scripted s;
    const struct gw_name_clients_list *list = NULL;

    script(&s, "a:2:{i:1;a:1:{s:6:\"groups\";N;}i:2;a:1:{s:6:\"groups\";a:1:{i:7;s:1:\"7\";}}}",
           "a:1:{i:9;a:1:{s:6:\"groups\";a:2:{i:7;s:1:\"7\";s:1:\"g\";s:1:\"g\";}}}");
    assert_int_equal(gw_get_all_group_client_ids(&s.gw, &list), 0);
    assert_int_equal(list->n, 2);
    assert_string_equal(list->at[0].name.data, "7");
    assert_int_equal(list->at[0].n, 2);
    assert_string_equal(list->at[0].client_ids[0], "7f00000108fc00000002");
    assert_string_equal(list->at[0].client_ids[1], "7f00000108fd00000009");
    assert_string_equal(list->at[1].name.data, "g");
    assert_int_equal(list->at[1].n, 1);
    gw_result_free(list);
    finish(&s);
}

static void test_uids_of_all_groups(void **state)
{
    struct scripted s;
    const struct gw_name_names_list *uids;
    const struct gw_name_count_list *counts;

    script(&s,
           "a:3:{i:1;a:2:{s:3:\"uid\";N;s:6:\"groups\";a:1:{i:5;s:1:\"5\";}}"
           "i:2;a:2:{s:3:\"uid\";s:1:\"u\";s:6:\"groups\";a:1:{i:5;s:1:\"5\";}}"
           "i:3;a:2:{s:3:\"uid\";s:1:\"v\";s:6:\"groups\";N;}}",
           "a:2:{i:1;a:2:{s:3:\"uid\";s:1:\"u\";s:6:\"groups\";a:1:{i:5;s:1:\"5\";}}"
           "i:2;a:2:{s:3:\"uid\";s:1:\"v\";s:6:\"groups\";a:1:{i:5;s:1:\"5\";}}}");
    assert_int_equal(gw_get_all_group_uids(&s.gw, &uids), 0);
    assert_int_equal(uids->n, 1);
    assert_string_equal(uids->at[0].name.data, "5");
    assert_int_equal(uids->at[0].n, 2); /* "u" is on both gateways, and counts once */
    assert_string_equal(uids->at[0].names[0].data, "u");
    assert_string_equal(uids->at[0].names[1].data, "v");
    gw_result_free(uids);
    assert_int_equal(gw_get_all_group_uid_counts(&s.gw, &counts), 0);
    assert_int_equal(counts->n, 1);
    assert_int_equal(counts->at[0].count, 2);
    gw_result_free(counts);
    finish(&s);
}

static void test_a_failing_gateway_costs_its_share_only(void **state)
{
    struct scripted s;
    const struct gw_client_list *list = NULL;

    script(&s, NULL, "a:1:{i:3;a:1:{s:3:\"uid\";N;}}");
    assert_int_equal(gw_get_all_client_ids(&s.gw, &list), GW_EPARTIAL);
    assert_int_equal(list->n, 1);
    assert_string_equal(list->clients[0].id, "7f00000108fd00000003");
    assert_int_equal(list->failures_n, 1);
    assert_string_equal(list->failures[0].address, "127.0.0.1:2300");
    assert_int_equal(list->failures[0].rc, GW_ETIMEOUT);
    gw_result_free(list);
    finish(&s);
}

static void test_all_failing_is_an_error_without_a_list(void **state)
{
    struct scripted s;
    const struct gw_name_list *list = NULL;

    script(&s, NULL, NULL);
    assert_int_equal(gw_get_all_groups(&s.gw, &list), GW_ETIMEOUT);
    assert_null(list);
    assert_int_equal(gw_get_all_client_count(&s.gw), GW_ETIMEOUT);
    finish(&s);
}

static void test_answers_of_another_shape(void **state)
{
    static const char *const bad[] = {
        "", "i:1", "i:1;", "O:1:\"a\":0:{}", "a:1:{s:1:\"x\";i:1;}", "a:1:{i:-1;i:1;}"};

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct scripted s;
        const struct gw_client_list *list = NULL;
        script(&s, bad[i], "a:0:{}");
        assert_int_equal(gw_get_all_client_sessions(&s.gw, &list), GW_EPARTIAL);
        assert_int_equal(list->failures_n, 1);
        assert_int_equal(list->failures[0].rc, GW_EPROTO);
        gw_result_free(list);
        finish(&s);
        script(&s, bad[i], bad[i]);
        assert_int_equal(gw_get_all_client_sessions(&s.gw, &list), GW_EPROTO);
        assert_null(list);
        finish(&s);
    }
}

static void test_one_gateway_that_knows_a_uid_settles_it(void **state)
{
    struct scripted s;

    script(&s, NULL, "a:1:{i:0;i:3;}");
    assert_int_equal(gw_is_uid_online(&s.gw, gw_str("u")), 1);
    s.answers[1] = "a:0:{}";
    assert_int_equal(gw_is_uid_online(&s.gw, gw_str("u")), GW_EPARTIAL);
    s.answers[0] = "a:0:{}";
    assert_int_equal(gw_is_uid_online(&s.gw, gw_str("u")), 0);
    finish(&s);
}

static void test_names_and_ids_are_checked_before_anything_is_sent(void **state)
{
    struct scripted s;
    char long_name[GW_NAME_MAX + 2];
    const struct gw_client_list *list = NULL;

    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    script(&s, "i:1;", "i:1;");
    assert_int_equal(gw_get_client_count_by_group(&s.gw, gw_str("")), GW_EBADNAME);
    assert_int_equal(gw_get_client_count_by_group(&s.gw, gw_str(long_name)), GW_EBADNAME);
    assert_int_equal(gw_get_client_count_by_group(&s.gw, gw_str(long_name + 1)), 2);
    assert_int_equal(gw_get_client_ids_by_group(&s.gw, gw_str("\xff"), &list), GW_EUTF8);
    assert_int_equal(gw_is_online(&s.gw, "7f00000108fc0000000"), GW_EBADID);
    assert_int_equal(gw_is_online(&s.gw, "7f00000108fc0000000g"), GW_EBADID);
    assert_int_equal(gw_is_online(&s.gw, NULL), GW_EBADID);
    assert_int_equal(gw_is_online(&s.gw, "7f00000108fc00000001"), 1);
    assert_int_equal(gw_is_online(&s.gw, "7f00000109ff00000001"), 0); /* no such gateway */
    finish(&s);
}

static void test_without_a_gateway(void **state)
{
    struct scripted s = {.gw = {.io = &scripted_io}};
    const struct gw_name_list *list = NULL;

    assert_int_equal(gw_get_all_client_count(&s.gw), GW_ENOGATEWAY);
    assert_int_equal(gw_get_all_uids(&s.gw, &list), GW_ENOGATEWAY);
    assert_null(list);
    finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups_of_all_clients),
        cmocka_unit_test(test_uids_of_all_groups),
        cmocka_unit_test(test_a_failing_gateway_costs_its_share_only),
        cmocka_unit_test(test_all_failing_is_an_error_without_a_list),
        cmocka_unit_test(test_answers_of_another_shape),
        cmocka_unit_test(test_one_gateway_that_knows_a_uid_settles_it),
        cmocka_unit_test(test_names_and_ids_are_checked_before_anything_is_sent),
        cmocka_unit_test(test_without_a_gateway),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

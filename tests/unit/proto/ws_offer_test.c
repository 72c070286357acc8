/* Extension negotiation, as header lines and the answers to them: RFC 7692 §5 and §7.1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include <gw/err.h>

#include "proto/http.h"
#include "proto/ws_deflate.h"

#define PMD "permessage-deflate"
#define NO_S "; server_no_context_takeover"
#define NO_C "; client_no_context_takeover"

static const struct ws_deflate_conf forgetful = {.window_bits = 15, .mem_level = 8};
static const struct ws_deflate_conf keeping = {
    .window_bits = 15, .mem_level = 8, .keeps_ours = true, .keeps_theirs = true};
static const struct ws_deflate_conf small = {.window_bits = 10, .mem_level = 8};

struct row {
    const char *name;
    const struct ws_deflate_conf *conf;
    const char *lines[3];
    int rc;
    const char *answer;
    int server_bits, client_bits;
};

static const struct row rows[] = {
    {"none", &forgetful, {NULL}, 0, "", 0, 0},
    {"empty", &forgetful, {""}, 0, "", 0, 0},
    {"plain", &forgetful, {PMD}, 1, PMD NO_S NO_C, 15, 15},
    {"plain_keeping", &keeping, {PMD}, 1, PMD, 15, 15},
    {"upper_case", &keeping, {"Permessage-Deflate"}, 1, PMD, 15, 15},
    /* §7.1.1: what the client asks for holds, whatever we would do */
    {"server_forgets", &keeping, {PMD NO_S}, 1, PMD NO_S, 15, 15},
    {"client_forgets", &keeping, {PMD NO_C}, 1, PMD NO_C, 15, 15},
    {"both_forget", &keeping, {PMD NO_C NO_S}, 1, PMD NO_S NO_C, 15, 15},
    /* §7.1.2: what browsers send */
    {"client_bits",
     &keeping,
     {PMD "; client_max_window_bits"},
     1,
     PMD "; client_max_window_bits=15",
     15,
     15},
    {"client_bits_12",
     &keeping,
     {PMD ";client_max_window_bits=12"},
     1,
     PMD "; client_max_window_bits=12",
     15,
     12},
    {"client_bits_ours",
     &small,
     {PMD "; client_max_window_bits=12"},
     1,
     PMD NO_S NO_C "; client_max_window_bits=10",
     10,
     10},
    {"client_bits_not_offered", &small, {PMD}, 1, PMD NO_S NO_C, 10, 15},
    {"server_bits",
     &keeping,
     {PMD "; server_max_window_bits=9"},
     1,
     PMD "; server_max_window_bits=9",
     9,
     15},
    {"server_bits_8",
     &keeping,
     {PMD "; server_max_window_bits=8"},
     1,
     PMD "; server_max_window_bits=8",
     8,
     15},
    {"server_bits_ours",
     &small,
     {PMD "; server_max_window_bits=15"},
     1,
     PMD NO_S NO_C "; server_max_window_bits=10",
     10,
     15},
    {"quoted",
     &keeping,
     {PMD " ; server_max_window_bits = \"10\""},
     1,
     PMD "; server_max_window_bits=10",
     10,
     15},
    /* §5.1, §7.1: the first acceptable of several, wherever it stands */
    {"fallback",
     &keeping,
     {PMD "; server_max_window_bits=16, " PMD "; client_max_window_bits, " PMD},
     1,
     PMD "; client_max_window_bits=15",
     15,
     15},
    {"other_first", &keeping, {"x-webkit-deflate-frame, " PMD}, 1, PMD, 15, 15},
    {"two_lines", &keeping, {"bbf; a=b; c", PMD NO_S}, 1, PMD NO_S, 15, 15},
    {"both_lines", &keeping, {PMD NO_S, PMD NO_C}, 1, PMD NO_S, 15, 15},
    {"empty_elements", &keeping, {", ,\t" PMD " ,"}, 1, PMD, 15, 15},
    /* §7.1: declined, which is no error */
    {"unknown_extension", &keeping, {"x-foo"}, 0, "", 0, 0},
    {"unknown_param", &keeping, {PMD "; level=3"}, 0, "", 0, 0},
    {"repeated_param", &keeping, {PMD NO_S NO_S}, 0, "", 0, 0},
    {"flag_with_value", &keeping, {PMD NO_S "=1"}, 0, "", 0, 0},
    {"bits_7", &keeping, {PMD "; client_max_window_bits=7"}, 0, "", 0, 0},
    {"bits_16", &keeping, {PMD "; client_max_window_bits=16"}, 0, "", 0, 0},
    {"bits_08", &keeping, {PMD "; client_max_window_bits=08"}, 0, "", 0, 0},
    {"bits_100", &keeping, {PMD "; server_max_window_bits=100"}, 0, "", 0, 0},
    {"bits_text", &keeping, {PMD "; server_max_window_bits=x"}, 0, "", 0, 0},
    {"server_bits_bare", &keeping, {PMD "; server_max_window_bits"}, 0, "", 0, 0},
    /* RFC 6455 §9.1: not well-formed */
    {"no_name", &keeping, {"; a"}, GW_EPROTO, "", 0, 0},
    {"no_param", &keeping, {PMD ";"}, GW_EPROTO, "", 0, 0},
    {"no_value", &keeping, {PMD "; server_max_window_bits="}, GW_EPROTO, "", 0, 0},
    {"open_quote", &keeping, {PMD "; server_max_window_bits=\"10"}, GW_EPROTO, "", 0, 0},
    {"blank_inside", &keeping, {PMD " x"}, GW_EPROTO, "", 0, 0},
    {"behind_a_good_one", &keeping, {PMD, "="}, GW_EPROTO, NULL, 0, 0},
};

static void check(const struct row *row)
{
    struct http_request r = {0};
    for (size_t i = 0; i < 3 && row->lines[i]; i++)
        r.headers[r.headers_n++] = (struct http_header){
            .name = span_str("Sec-WebSocket-Extensions"), .value = span_str(row->lines[i])};
    struct ws_deflate_terms terms = {0};
    struct buf answer = {0};
    int rc = ws_deflate_agree(row->conf, &r, &terms, &answer);
    if (rc != row->rc)
        fail_msg("%s: %d instead of %d", row->name, rc, row->rc);
    if (row->answer && strcmp(buf_cstr(&answer), row->answer) != 0)
        fail_msg("%s: \"%s\" instead of \"%s\"", row->name, buf_cstr(&answer), row->answer);
    if (rc == 1) {
        assert_int_equal(terms.server_bits, row->server_bits);
        assert_int_equal(terms.client_bits, row->client_bits);
        assert_int_equal(terms.keeps_ours, !strstr(row->answer, NO_S));
        assert_int_equal(terms.keeps_theirs, !strstr(row->answer, NO_C));
    }
    buf_fini(&answer);
}

static void test_rows(void **unused)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check(&rows[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Keys about registries: what is an address, and what needs a secret. */
#include "mesh/registries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <gw/err.h>

static const struct conf_table table = {.kind = "test"};
static const struct conf_section section = {.table = &table, .name = "x"};

static int check(const char *address, const char *secret, bool is_insecure, struct buf *errors)
{
    const struct conf_item item = {.text = address, .file = "t.conf", .line = 5};
    const struct registries_conf c = {
        .addresses = {.at = &item, .len = 1}, .secret = secret, .is_insecure = is_insecure};
    return registries_check(NULL, &section, &c, errors);
}

static void refused(const char *address, const char *secret, const char *words)
{
    struct buf errors = {0};
    if (check(address, secret, false, &errors) != GW_ECONF)
        fail_msg("\"%s\" is accepted", address);
    if (!strstr(buf_cstr(&errors), words) || strncmp(buf_cstr(&errors), "t.conf:5: [test x] ", 19))
        fail_msg("\"%s\" lacks \"%s\"", buf_cstr(&errors), words);
    buf_fini(&errors);
}

static void accepted(const char *address, const char *secret, bool is_insecure)
{
    struct buf errors = {0};
    if (check(address, secret, is_insecure, &errors) != 0)
        fail_msg("%s", buf_cstr(&errors));
    buf_fini(&errors);
}

static void an_address_is_host_and_port(void **state)
{
    static const char *const bad[] = {
        "",        "127.0.0.1",  ":1236",    "127.0.0.1:", "host:0",         "host:65536",
        "host:+1", "host:1236x", "host: 12", "[::1]",      "127.0.0.1:1236 "};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        refused(bad[i], "secret", "is not host:port");
    accepted("registry.example:1", "secret", false);
    accepted("[::1]:65535", "secret", false);
}

static void another_host_needs_a_secret(void **state)
{
    static const char *const local[] = {"127.0.0.1:1236", "127.9.9.9:1236", "localhost:1236",
                                        "[::1]:1236"};
    static const char *const away[] = {
        "10.0.0.1:1236",          "registry.example:1236",  "[::2]:1236",
        "localhost.example:1236", "127.0.0.1.example:1236", "127.registry.example:1236"};
    for (size_t i = 0; i < ARRAY_LEN(local); i++)
        accepted(local[i], "", false);
    for (size_t i = 0; i < ARRAY_LEN(away); i++) {
        refused(away[i], "", "is on another host; set secret_key");
        accepted(away[i], "secret", false);
        accepted(away[i], "", true);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_host_and_port),
        cmocka_unit_test(another_host_needs_a_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

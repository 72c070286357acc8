/* The reference of config keys: one heading per kind, one row per key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/conf.h"

static const struct conf_key keys[] = {
    {.name = "listen", .type = CONF_STR, .is_required = true, .meaning = "Address."},
    {.name = "out_max",
     .type = CONF_SIZE,
     .def = "1m",
     .min = 1024,
     .max = 1 << 30,
     .unit = "bytes",
     .meaning = "A limit."},
    {.name = "count", .type = CONF_INT, .unit = "processes", .meaning = "Processes."},
    {.name = "policy", .type = CONF_ENUM, .def = "a", .choices = "a|b", .meaning = "a|b."},
    {.name = "tag", .type = CONF_LIST, .def = "", .meaning = "Tags."},
};
static const struct conf_table gateway = {
    .kind = "gateway", .meaning = "Clients.", .keys = keys, .keys_n = ARRAY_LEN(keys)};
static const struct conf_table master = {
    .kind = "master", .meaning = "First.", .keys = keys, .keys_n = 1, .is_single = true};

static void markdown(void **state)
{
    const struct conf_table *const tables[] = {&gateway, &master};
    struct buf out = {0};
    conf_reference(tables, ARRAY_LEN(tables), &out);
    assert_string_equal(
        buf_cstr(&out),
        "## `[gateway name]`\n\nClients.\n\n"
        "| key | value | default | meaning |\n|---|---|---|---|\n"
        "| `listen` | text | required | Address. |\n"
        "| `out_max` | a size in bytes (k, m, g for 1024 each) from 1k to 1g | `1m` | A limit. |\n"
        "| `count` | a whole number (processes) |  | Processes. |\n"
        "| `policy` | a or b | `a` | a\\|b. |\n"
        "| `tag` | text, repeatable |  | Tags. |\n"
        "\n## `[master]`\n\nFirst.\n\n"
        "| key | value | default | meaning |\n|---|---|---|---|\n"
        "| `listen` | text | required | Address. |\n");
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(markdown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

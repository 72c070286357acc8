/* The config: structs filled from files by tables, and one clear line for each mistake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include <gw/err.h>

#include "base/conf.h"
#include "support/tmpdir.h"

struct gateway_conf {
    const char *listen;
    const char *ping_data;
    struct conf_list tags;
    struct conf_list routes;
    int64_t count;
    uint64_t out_max_bytes;
    uint64_t ping_ms;
    bool is_open;
    int policy;
};

#define AT(member) .offset = offsetof(struct gateway_conf, member)

static const struct conf_key gateway_keys[] = {
    {.name = "listen", .type = CONF_STR, AT(listen), .is_required = true, .meaning = "Address."},
    {.name = "ping_data", .type = CONF_STR, AT(ping_data), .meaning = "What a ping is."},
    {.name = "tag", .type = CONF_LIST, AT(tags), .meaning = "A tag."},
    {.name = "route", .type = CONF_LIST, AT(routes), .def = "all", .meaning = "A route."},
    {.name = "count",
     .type = CONF_INT,
     AT(count),
     .def = "2",
     .min = 1,
     .max = 64,
     .unit = "processes",
     .meaning = "Processes."},
    {.name = "out_max", .type = CONF_SIZE, AT(out_max_bytes), .def = "1m", .meaning = "A limit."},
    {.name = "ping_interval", .type = CONF_SECONDS, AT(ping_ms), .def = "2.5", .meaning = "Pings."},
    {.name = "open", .type = CONF_BOOL, AT(is_open), .meaning = "Open or not."},
    {.name = "policy",
     .type = CONF_ENUM,
     AT(policy),
     .def = "drop_new",
     .choices = "close|drop_new|drop_old",
     .meaning = "When a|b."},
};
static const struct conf_table gateway_table = {.kind = "gateway",
                                                .meaning = "Client connections.",
                                                .keys = gateway_keys,
                                                .keys_n = ARRAY_LEN(gateway_keys),
                                                .conf_bytes = sizeof(struct gateway_conf)};
static const struct conf_key master_keys[] = {
    {.name = "pid_file", .type = CONF_STR, .offset = 0, .def = "x.pid", .meaning = "The pid."},
};
static const struct conf_table master_table = {.kind = "master",
                                               .meaning = "The first process.",
                                               .keys = master_keys,
                                               .keys_n = 1,
                                               .conf_bytes = sizeof(const char *),
                                               .is_single = true};
static const struct conf_table *const tables[] = {&master_table, &gateway_table};

static struct tmpdir dir;
static struct buf errors;

static int begin(void **state)
{
    dir = tmpdir_make();
    assert_int_equal(chdir(dir.path), 0);
    return 0;
}

static int end(void **state)
{
    assert_int_equal(chdir("/"), 0);
    tmpdir_remove(&dir);
    buf_fini(&errors);
    return 0;
}

static struct conf *load(const char *content)
{
    struct conf *c = NULL;
    tmpdir_write(&dir, "chat.conf", content);
    int rc = conf_load("chat.conf", tables, ARRAY_LEN(tables), &errors, &c);
    assert_string_equal(buf_cstr(&errors), "");
    assert_int_equal(rc, 0);
    return c;
}

static void refused(const char *content, const char *complaint)
{
    struct conf *c = (struct conf *)&errors;
    buf_clear(&errors);
    tmpdir_write(&dir, "chat.conf", content);
    assert_int_equal(conf_load("chat.conf", tables, ARRAY_LEN(tables), &errors, &c), GW_ECONF);
    assert_null(c);
    assert_string_equal(buf_cstr(&errors), complaint);
}

static void written_values(void **state)
{
    struct conf *c = load("[gateway chat]\nlisten = ws\ntag = a\ntag = b\nroute = r\ncount = 3\n"
                          "out_max = 2k\nping_interval = 0.4\nopen = yes\npolicy = drop_old\n"
                          "ping_data = {\"type\":\"ping\"} ; #\n");
    assert_int_equal(conf_sections_n(c), 1);
    const struct conf_section *s = conf_section_at(c, 0);
    const struct gateway_conf *g = s->conf;
    assert_ptr_equal(s->table, &gateway_table);
    assert_string_equal(s->name, "chat");
    assert_string_equal(g->listen, "ws");
    assert_string_equal(g->ping_data, "{\"type\":\"ping\"} ; #");
    assert_int_equal(g->tags.len, 2);
    assert_string_equal(g->tags.at[1].text, "b");
    assert_string_equal(g->tags.at[1].file, "chat.conf");
    assert_int_equal(g->tags.at[1].line, 4);
    assert_int_equal(g->routes.len, 1);
    assert_string_equal(g->routes.at[0].text, "r");
    assert_int_equal(g->count, 3);
    assert_int_equal(g->out_max_bytes, 2048);
    assert_int_equal(g->ping_ms, 400);
    assert_true(g->is_open);
    assert_int_equal(g->policy, 2);
    assert_string_equal(conf_where(c, s, "count"), "chat.conf:6");
    assert_string_equal(conf_where(c, s, "nothing"), "chat.conf:1");
    conf_free(c);
    conf_free(NULL);
}

static void defaults(void **state)
{
    struct conf *c = load("[master]\n[gateway a]\nlisten=x\n[gateway b]\nlisten=y\n");
    assert_int_equal(conf_sections_n(c), 3);
    assert_string_equal(*(const char *const *)conf_section_at(c, 0)->conf, "x.pid");
    const struct gateway_conf *g = conf_section_at(c, 1)->conf;
    assert_null(g->ping_data);
    assert_int_equal(g->tags.len, 0);
    assert_int_equal(g->routes.len, 1);
    assert_string_equal(g->routes.at[0].text, "all");
    assert_int_equal(g->count, 2);
    assert_int_equal(g->out_max_bytes, 1 << 20);
    assert_int_equal(g->ping_ms, 2500);
    assert_false(g->is_open);
    assert_int_equal(g->policy, 1);
    conf_free(c);
}

static void paths(void **state)
{
    struct conf *c = load("[master]\n");
    char want[128];
    snprintf(want, sizeof want, "%s/var/x", dir.path);
    assert_int_equal(chdir("/"), 0);
    assert_string_equal(conf_path(c, "var/x"), want);
    assert_string_equal(conf_path(c, "/etc/x"), "/etc/x");
    assert_null(conf_path(c, NULL));
    conf_free(c);
}

static void each_mistake_has_its_line(void **state)
{
    refused("[gateway chat]\n\npingg_interval = 1\ncolour = red\ncount = many\ncount = 3\n"
            "policy = keep\ninclude = x\n",
            "chat.conf:3: [gateway chat] pingg_interval: unknown key; did you mean ping_interval?\n"
            "chat.conf:4: [gateway chat] colour: unknown key\n"
            "chat.conf:8: [gateway chat] include: must stand above the first section of its file\n"
            "chat.conf:1: [gateway chat] listen: is missing: Address.\n"
            "chat.conf:6: [gateway chat] count: set already at chat.conf:5\n"
            "chat.conf:5: [gateway chat] count: \"many\" must be a whole number from 1 to 64\n"
            "chat.conf:7: [gateway chat] policy: \"keep\" must be close, drop_new or drop_old\n");
    refused(
        "[gatway]\nx = 1\n[zoo]\n",
        "chat.conf:1: [gatway] unknown kind of section; there are master, gateway; did you mean "
        "gateway?\n"
        "chat.conf:3: [zoo] unknown kind of section; there are master, gateway\n");
    refused("[gateway a]\nlisten=x\n[gateway a]\nlisten=y\n",
            "chat.conf:3: [gateway a] is there already at chat.conf:1; give it another name\n");
    refused("[master]\n[master two]\n",
            "chat.conf:2: [master two] is there already at chat.conf:1; there can be only one\n");
    refused("[gateway a]\nlisten=x\nbroken line\n",
            "chat.conf:3: neither a [section] nor \"key = value\" nor a comment\n");
}

static void complaints_name_the_line_of_their_key(void **state)
{
    struct conf *c = load("[gateway]\nlisten=x\ntag=a\ntag=b\n\n[gateway two]\nlisten=y\n");
    const struct conf_section *one = conf_section_at(c, 0);
    const struct gateway_conf *gc = one->conf;
    assert_int_equal(conf_complain(c, one, "listen", &errors, "%d is odd", 3), GW_ECONF);
    assert_int_equal(conf_complain(c, conf_section_at(c, 1), "count", &errors, "no"), GW_ECONF);
    assert_int_equal(conf_complain_item(one, "tag", &gc->tags.at[1], &errors, "old"), GW_ECONF);
    assert_string_equal(buf_cstr(&errors), "chat.conf:2: [gateway] listen: 3 is odd\n"
                                           "chat.conf:6: [gateway two] count: no\n"
                                           "chat.conf:4: [gateway] tag: old\n");
    conf_free(c);
}

static void missing_file(void **state)
{
    struct conf *c;
    assert_int_equal(conf_load("none", tables, ARRAY_LEN(tables), &errors, &c), GW_ECONF);
    assert_null(c);
    assert_string_equal(buf_cstr(&errors), "none: cannot be read: No such file or directory\n");
}

static void included_lines_name_their_file(void **state)
{
    tmpdir_write(&dir, "more.inc", "[gateway a]\nlisten=x\ncount=99\n");
    refused("include = more.inc\n[gateway a]\nlisten=y\n",
            "more.inc:3: [gateway a] count: \"99\" must be a whole number from 1 to 64\n"
            "chat.conf:2: [gateway a] is there already at more.inc:1; give it another name\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(written_values, begin, end),
        cmocka_unit_test_setup_teardown(defaults, begin, end),
        cmocka_unit_test_setup_teardown(paths, begin, end),
        cmocka_unit_test_setup_teardown(each_mistake_has_its_line, begin, end),
        cmocka_unit_test_setup_teardown(complaints_name_the_line_of_their_key, begin, end),
        cmocka_unit_test_setup_teardown(missing_file, begin, end),
        cmocka_unit_test_setup_teardown(included_lines_name_their_file, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

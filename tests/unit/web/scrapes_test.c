/* scrapes: one question for all who ask, how long an answer serves, and who may have it. */
#include "web/scrapes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct loop *loop;
static struct role_env env;
static struct scrapes all;
static size_t asked_n;

static void on_asked(struct role_env *e)
{
    assert_ptr_equal(e, &env);
    asked_n++;
}

static void start(const struct web_conf *conf)
{
    loop = loop_new();
    assert_non_null(loop);
    env = (struct role_env){.loop = loop, .ask_metrics = on_asked};
    asked_n = 0;
    scrapes_init(&all, &env, conf);
}

static void stop(void)
{
    scrapes_fini(&all);
    loop_free(loop);
}

struct reader {
    struct scrape scrape;
    char text[64];
    int told_n;
};

static void on_told(void *owner, struct span text)
{
    struct reader *r = owner;
    assert_true(text.len < sizeof r->text);
    if (text.len > 0)
        memcpy(r->text, text.at, text.len);
    r->text[text.len] = '\0';
    r->told_n++;
}

static void ask(struct reader *r)
{
    scrape_start(&all, &r->scrape, on_told, r);
}

static void all_share_one_answer(void **state)
{
    struct web_conf conf = {.metrics = "/metrics"};
    struct reader a = {0}, b = {0}, gone = {0}, late = {0};
    start(&conf);
    ask(&a);
    ask(&gone);
    ask(&b);
    scrape_stop(&gone.scrape);
    scrape_stop(&gone.scrape);
    assert_int_equal(asked_n, 1);
    scrapes_take(&all, span_str("numbers\n"));
    ask(&late); /* in the same second */
    assert_int_equal(asked_n, 1);
    assert_string_equal(a.text, "numbers\n");
    assert_string_equal(b.text, "numbers\n");
    assert_string_equal(late.text, "numbers\n");
    assert_int_equal(a.told_n + b.told_n + late.told_n, 3);
    assert_int_equal(gone.told_n, 0);
    stop();
}

static void an_answer_gets_old(void **state)
{
    struct web_conf conf = {.metrics = "/metrics"};
    struct reader a = {0}, b = {0};
    start(&conf);
    ask(&a);
    scrapes_take(&all, span_str("one"));
    usleep((SCRAPES_FRESH_MS + 1) * 1000);
    loop_turn(loop, 0);
    ask(&b);
    assert_int_equal(asked_n, 2);
    assert_int_equal(b.told_n, 0);
    scrapes_take(&all, span_str("two"));
    assert_string_equal(b.text, "two");
    stop();
}

static void none_is_told_as_none(void **state)
{
    struct web_conf conf = {.metrics = "/metrics"};
    struct reader a = {0}, b = {0};
    struct buf much = {0};
    start(&conf);
    ask(&a);
    scrapes_take(&all, span_of(NULL, 0));
    assert_int_equal(a.told_n, 1);
    assert_string_equal(a.text, "");
    ask(&b); /* a failure is not kept */
    assert_int_equal(asked_n, 2);
    memset(buf_reserve(&much, SCRAPES_TEXT_MAX_BYTES + 1), 'x', SCRAPES_TEXT_MAX_BYTES + 1);
    buf_commit(&much, SCRAPES_TEXT_MAX_BYTES + 1);
    scrapes_take(&all, buf_span(&much));
    assert_int_equal(b.told_n, 1);
    assert_string_equal(b.text, "");
    buf_fini(&much);
    stop();
}

static bool allows(const char *address)
{
    struct addr a;
    assert_int_equal(addr_parse(address, &a), 0);
    return scrapes_allows(&all, &a);
}

static void loopback_unless_others_are_named(void **state)
{
    static struct conf_item items[] = {{.text = "10.1.0.0/16"}};
    struct web_conf conf = {.metrics = "/metrics"};
    start(&conf);
    assert_true(allows("127.0.0.1:5"));
    assert_true(allows("127.9.9.9:5"));
    assert_true(allows("[::1]:5"));
    assert_false(allows("10.1.2.3:5"));
    assert_false(allows("[::2]:5"));
    assert_false(scrapes_allows(&all, &(struct addr){.family = AF_UNIX}));
    stop();
    conf.metrics_allow = (struct conf_list){.at = items, .len = 1};
    start(&conf);
    assert_true(allows("10.1.2.3:5"));
    assert_false(allows("10.2.2.3:5"));
    assert_false(allows("127.0.0.1:5"));
    stop();
}

static bool serves(const char *path)
{
    const struct http_request r = {.path = span_str(path)};
    return scrapes_serves(&all, &r);
}

static void off_by_default(void **state)
{
    struct web_conf conf = {0};
    start(&conf);
    assert_false(serves("/metrics"));
    stop();
    conf.metrics = "";
    start(&conf);
    assert_false(serves("/metrics"));
    assert_false(serves(""));
    stop();
    conf.metrics = "/numbers";
    start(&conf);
    assert_true(serves("/numbers"));
    assert_false(serves("/metrics"));
    assert_false(serves("/numbers/"));
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_share_one_answer), cmocka_unit_test(an_answer_gets_old),
        cmocka_unit_test(none_is_told_as_none), cmocka_unit_test(loopback_unless_others_are_named),
        cmocka_unit_test(off_by_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

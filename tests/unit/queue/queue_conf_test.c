/* The [queue] section: where orders come from, and that nothing runs with half of it. */
#include "queue/queue_conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <gw/err.h>

#include "support/tmpdir.h"

static void expect(const char *lines, const char *words)
{
    static const struct conf_table *const tables[] = {&queue_table};
    struct tmpdir dir = tmpdir_make();
    struct buf errors = {0};
    struct conf *conf;
    char text[500];
    snprintf(text, sizeof(text), "[queue]\n%s", lines);
    int rc = conf_load(tmpdir_write(&dir, "t.conf", text), tables, 1, &errors, &conf);
    if (rc == 0) {
        rc = queue_check(conf, conf_section_at(conf, 0), &errors);
        conf_free(conf);
    }
    if (rc != (words ? GW_ECONF : 0) || (words && !strstr(buf_cstr(&errors), words)))
        fail_msg("%s: %d, \"%s\"", lines, rc, buf_cstr(&errors));
    assert_int_equal(errors.len > 0, words != NULL);
    buf_fini(&errors);
    tmpdir_remove(&dir);
}

static void orders_come_from_redis(void **state)
{
    expect("", NULL);
    expect("redis = redis://:password@127.0.0.1:6380/3\n", NULL);
    expect("redis = redis+unix:///run/redis.sock\n", NULL);
    expect("redis = sqlite:///x.db\n", "t.conf:2: [queue] redis: orders come from Redis only");
    expect("redis = 127.0.0.1:6379\n", "t.conf:2: [queue] redis: ");
    expect("redis = redis://\n", "redis: ");
}

static void numbers_have_bounds(void **state)
{
    expect("batch = 0\n", "batch");
    expect("batch = 1001\n", "batch");
    expect("tries = 0\n", "tries");
    expect("retry = 0.009\n", "retry");
    expect("retry = 0.01\nbatch = 1000\ntries = 1\nfailed_max = 1\n", NULL);
    expect("visibility = 0.9\n", "visibility");
}

static void registries_are_looked_at(void **state)
{
    expect("register_address = 10.0.0.1:1236\n", "is on another host; set secret_key");
    expect("register_address = 10.0.0.1:1236\nsecret_key = k\n", NULL);
    expect("redis = x\nregister_address = y\n", "t.conf:3: [queue] register_address: \"y\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_come_from_redis),
        cmocka_unit_test(numbers_have_bounds),
        cmocka_unit_test(registries_are_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

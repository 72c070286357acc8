/* Look-ups: numbers at once, names by a thread, cancelling at any time. */
#include "net/resolve.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <gw/err.h>

static struct loop *loop;
static int done_n;
static int last_rc;
static struct addr last_addr;

static void on_done(void *owner, int rc, const struct addr *addr)
{
    done_n++;
    last_rc = rc;
    last_addr = *addr;
}

static int setup(void **state)
{
    loop = loop_new();
    done_n = 0;
    return 0;
}

static int teardown(void **state)
{
    loop_free(loop);
    return 0;
}

static void wait_until_done(void)
{
    for (int turns_n = 0; done_n == 0; turns_n++) {
        assert_in_range(turns_n, 0, 3000);
        assert_int_equal(loop_turn(loop, 10), 0);
    }
    assert_int_equal(done_n, 1);
}

static void numbers_are_answered_in_the_next_turn(void **state)
{
    char text[ADDR_TEXT_MAX];
    assert_non_null(resolve_start(loop, "10.1.2.3:77", on_done, NULL));
    assert_int_equal(done_n, 0);
    assert_int_equal(loop_turn(loop, -1), 0);
    assert_int_equal(done_n, 1);
    assert_int_equal(last_rc, 0);
    addr_text(&last_addr, text);
    assert_string_equal(text, "10.1.2.3:77");
}

static void a_name_is_looked_up(void **state)
{
    assert_non_null(resolve_start(loop, "localhost:78", on_done, NULL));
    wait_until_done();
    assert_int_equal(last_rc, 0);
    assert_int_equal(last_addr.port, 78);
    assert_true(addr_is_loopback(&last_addr));
}

static void an_impossible_name_fails(void **state)
{
    /* A label may have 63 bytes at most (RFC 1035 §2.3.4): no server need be asked. */
    assert_non_null(resolve_start(
        loop, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:1",
        on_done, NULL));
    wait_until_done();
    assert_true(last_rc < 0);
}

static void a_cancelled_look_up_says_nothing(void **state)
{
    for (int i = 0; i < 8; i++) {
        struct resolve *r = resolve_start(loop, i % 2 ? "localhost:1" : "1.2.3.4:1", on_done, NULL);
        assert_non_null(r);
        if (i >= 4)
            assert_int_equal(loop_turn(loop, 0), 0);
        if (done_n == 0)
            resolve_cancel(r);
        done_n = 0;
    }
    resolve_cancel(NULL);
    assert_non_null(resolve_start(loop, "localhost:2", on_done, NULL));
    wait_until_done();
    assert_int_equal(last_addr.port, 2);
}

static void what_cannot_be_an_address_is_refused(void **state)
{
    static const char *const texts[] = {"localhost", ":x", "name:", "name:65536", "name:1x", ""};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct addr a;
        errno = 0;
        assert_null(resolve_start(loop, texts[i], on_done, NULL));
        assert_int_equal(errno, EINVAL);
        assert_int_equal(resolve_now(texts[i], &a), -EINVAL);
    }
}

static void now_answers_at_once(void **state)
{
    struct addr a;
    assert_int_equal(resolve_now("localhost:5", &a), 0);
    assert_int_equal(a.port, 5);
    assert_int_equal(resolve_now("[::1]:6", &a), 0);
    assert_int_equal(a.family, AF_INET6);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(numbers_are_answered_in_the_next_turn),
        TEST(a_name_is_looked_up),
        TEST(an_impossible_name_fails),
        TEST(a_cancelled_look_up_says_nothing),
        TEST(what_cannot_be_an_address_is_refused),
        TEST(now_answers_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

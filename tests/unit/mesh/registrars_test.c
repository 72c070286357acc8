/* Several registries: their lists together, and nothing lost while one of them is away. */
#include "mesh/registrars.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "net/sock.h"
#include "support/fake_clock.h"

enum { REGISTRIES_N = 2, REDIAL_MS = 1000, TURNS_MAX = 5000 };

static struct loop *loop;
static struct conn_pool *conns;
static struct registrars registrars; /* it is not freed: a process ends with it */
static int listeners[REGISTRIES_N];
static char texts[REGISTRIES_N][ADDR_TEXT_MAX];
static char told[256]; /* the last list, a blank behind each */
static int told_n;

static void on_change(void *owner, const struct vec *addresses)
{
    assert_ptr_equal(owner, &told_n);
    told[0] = '\0';
    told_n++;
    for (size_t i = 0; i < addresses->len; i++) {
        strcat(told, addresses->at[i]);
        strcat(told, " ");
    }
}

static int begin(void **state)
{
    static struct conf_item items[REGISTRIES_N];
    const struct registries_conf rc = {.addresses = {.at = items, .len = REGISTRIES_N},
                                       .secret = "key"};
    fake_clock_start(1000);
    loop = loop_new();
    conns = conn_pool_new(loop);
    for (size_t i = 0; i < REGISTRIES_N; i++) {
        struct addr at;
        if (addr_parse("127.0.0.1:0", &at) < 0)
            return -1;
        listeners[i] = sock_listen(&at, false, 4);
        if (listeners[i] < 0 || sock_local(listeners[i], &at) < 0)
            return -1;
        addr_text(&at, texts[i]);
        items[i].text = texts[i];
    }
    registrars_start(&registrars, conns, &rc, NULL, on_change, &told_n);
    return 0;
}

static int finish(void **state)
{
    registrars_stop(&registrars);
    registrars_stop(&registrars);
    conn_pool_free(conns);
    loop_free(loop);
    fake_clock_stop();
    for (size_t i = 0; i < REGISTRIES_N; i++)
        close(listeners[i]);
    return 0;
}

static int accept_from(size_t i)
{
    static const char hello[] = "{\"event\":\"worker_connect\",\"secret_key\":\"key\"}\n";
    char line[128];
    int fd = -1;
    size_t got = 0;
    for (int n = 0; n < TURNS_MAX && fd < 0; n++) {
        assert_int_equal(loop_turn(loop, 1), 0);
        fd = accept4(listeners[i], NULL, NULL, SOCK_NONBLOCK);
    }
    assert_true(fd >= 0);
    for (int n = 0; n < TURNS_MAX && got < strlen(hello); n++) {
        assert_int_equal(loop_turn(loop, 1), 0);
        ssize_t len = recv(fd, line + got, sizeof(line) - got, 0);
        got += len > 0 ? (size_t)len : 0;
    }
    assert_int_equal(got, strlen(hello));
    assert_memory_equal(line, hello, got);
    return fd;
}

static void say(int fd, const char *line)
{
    assert_int_equal(send(fd, line, strlen(line), MSG_NOSIGNAL), strlen(line));
}

static void list(int fd, const char *addresses)
{
    char line[256];
    snprintf(line, sizeof(line), "{\"event\":\"broadcast_addresses\",\"addresses\":[%s]}\n",
             addresses);
    say(fd, line);
}

static void expect_told(const char *want)
{
    int before_n = told_n;
    for (int n = 0; n < TURNS_MAX && told_n == before_n; n++)
        assert_int_equal(loop_turn(loop, 1), 0);
    assert_int_equal(told_n, before_n + 1);
    assert_string_equal(told, want);
}

static void turn_some(void)
{
    for (int n = 0; n < 20; n++)
        assert_int_equal(loop_turn(loop, 1), 0);
}

/* One process, from the first registry's list to the loss of both. */
static void lists_are_one_and_outlive_their_registries(void **state)
{
    int first = accept_from(0), second = accept_from(1);
    assert_false(registrars.has_list);
    list(first, "\"a:1\",\"b:2\"");
    expect_told("a:1 b:2 ");
    assert_true(registrars.has_list);
    list(second, "\"b:2\",\"c:3\"");
    expect_told("a:1 b:2 c:3 ");
    list(first, "\"b:2\"");
    expect_told("b:2 c:3 ");

    int before_n = told_n; /* a registry that is gone, and lines that are none, change nothing */
    close(first);
    say(second, "what?\n{\"event\":\"ping\"}\n{\"event\":\"unheard of\"}\n\n");
    turn_some();
    assert_int_equal(told_n, before_n);
    list(second, "");
    expect_told("b:2 ");

    fake_clock_advance(REDIAL_MS);
    first = accept_from(0);
    turn_some();
    list(first, "\"d:4\"");
    expect_told("d:4 ");
    close(first);
    close(second);
    turn_some();
    assert_string_equal(told, "d:4 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_one_and_outlive_their_registries),
    };
    return cmocka_run_group_tests(tests, begin, finish);
}

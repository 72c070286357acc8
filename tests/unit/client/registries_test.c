/* Which registry is asked, with how much of the time, and what is believed when none answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <gw/err.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "client/registries.h"
#include "net/sock.h"

enum { KEEP_MS = 60 * 1000 };

static void test_addresses(void **state)
{
    static const char *const bad[] = {"",      "host", "host:",    "host:0", "host:65536",
                                      ":1236", ",",    "a:1,,b:2", "a:1,b",  "host:port"};
    struct registries r = {0};

    assert_true(registries_add(&r, "one:1, [::1]:2 ,3.4.5.6:65535,"));
    assert_int_equal(r.addresses.len, 3);
    assert_string_equal(r.addresses.at[1], "[::1]:2");
    registries_fini(&r);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct registries none = {0};
        print_message("\"%s\"\n", bad[i]);
        assert_false(registries_add(&none, bad[i]));
        registries_fini(&none);
    }
}

/* A listener; what connects waits in its queue, answered before it asks when there is a list. */
struct place {
    int fd;
    char text[64];
};

static void place_open(struct place *p)
{
    struct addr at;
    char text[ADDR_TEXT_MAX];

    assert_int_equal(addr_parse("127.0.0.1:0", &at), 0);
    p->fd = sock_listen(&at, false, 4);
    assert_true(p->fd >= 0);
    assert_int_equal(sock_local(p->fd, &at), 0);
    addr_text(&at, text);
    snprintf(p->text, sizeof p->text, "%.60s", text);
}

static void add_two(struct registries *r, const struct place *first, const struct place *second)
{
    char list[160];

    snprintf(list, sizeof list, "%s,%s", first->text, second->text);
    assert_true(registries_add(r, list));
}

static void test_the_old_list_is_kept(void **state)
{
    struct registries r = {0};
    struct place gone[2];

    for (size_t i = 0; i < 2; i++) {
        place_open(&gone[i]);
        close(gone[i].fd); /* refuses from now on */
    }
    add_two(&r, &gone[0], &gone[1]);
    assert_int_equal(registries_refresh(&r, "", clock_mono_ms() + 1000, KEEP_MS), GW_ENOREGISTRY);
    assert_int_equal(r.believed_until_ms, 0);

    addr_book_add(&r.book, (struct gateway_at){.ip = 0x7f000001, .port = 2300});
    r.believed_until_ms = 1; /* long ago */
    assert_int_equal(registries_refresh(&r, "", clock_mono_ms() + 1000, 10), 0);
    assert_int_equal(r.book.len, 1);
    assert_true(r.believed_until_ms > clock_mono_ms() + 1000); /* not asked again in every call */
    registries_fini(&r);
}

/* A registry that takes the connection and says nothing has half of the time, not all of it. */
static void test_a_silent_registry_leaves_time_for_the_next(void **state)
{
    struct registries r = {0};
    struct place silent;
    struct place gone;

    place_open(&silent);
    place_open(&gone);
    close(gone.fd);
    add_two(&r, &silent, &gone);
    uint64_t before = clock_mono_ms();
    assert_int_equal(registries_refresh(&r, "", before + 200, KEEP_MS), GW_ENOREGISTRY);
    assert_in_range(clock_mono_ms() - before, 95, 195);
    close(silent.fd);
    registries_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_the_old_list_is_kept),
        cmocka_unit_test(test_a_silent_registry_leaves_time_for_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Finding users and becoming them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "proc/privileges.h"
#include "support/spawn.h"

static void test_nobody_named_means_as_we_are(void **state)
{
    struct privileges p;
    assert_int_equal(privileges_find(NULL, NULL, &p), 0);
    assert_false(p.is_set);
    assert_int_equal(p.uid, geteuid());
    assert_int_equal(p.gid, getegid());
}

static void test_unknown_names(void **state)
{
    struct privileges p;
    assert_int_equal(privileges_find("no such user", NULL, &p), -ENOENT);
    assert_int_equal(privileges_find(NULL, "no such group", &p), -ESRCH);
    assert_string_equal(privileges_complaint(-ENOENT), "no such user");
    assert_string_equal(privileges_complaint(-ESRCH), "no such group");
}

/* Exits with the number of the first thing that is wrong. */
static void become_nobody(void *arg)
{
    const struct privileges *p = arg;
    if (privileges_drop(p) < 0)
        _exit(1);
    if (getuid() != p->uid || geteuid() != p->uid || getgid() != p->gid)
        _exit(2);
    if (p->is_set && (setuid(0) == 0 || setgid(0) == 0))
        _exit(3);
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
        _exit(4);
}

static void test_drop_is_for_good(void **state)
{
    struct privileges p;
    int rc = privileges_find("nobody", NULL, &p);
    if (geteuid() != 0) {
        assert_int_equal(rc, -EPERM);
        assert_int_equal(privileges_find(NULL, NULL, &p), 0);
    }
    assert_int_equal(spawn_call(become_nobody, &p, 10000, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_named_means_as_we_are),
        cmocka_unit_test(test_unknown_names),
        cmocka_unit_test(test_drop_is_for_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

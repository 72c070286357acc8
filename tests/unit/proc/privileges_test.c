/* Finding users and becoming them. */
#include <errno.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
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

static bool set_capabilities(uint32_t set)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
        {.effective = set, .permitted = set, .inheritable = set}};
    return syscall(SYS_capset, &head, data) == 0;
}

static bool has_capability(int which)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
    bool is_known = syscall(SYS_capget, &head, data) == 0;
    uint32_t all = data[0].effective | data[0].permitted | data[0].inheritable;
    return !is_known || all & (1U << which) ||
           prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, which, 0, 0) != 0;
}

/* As AmbientCapabilities= of systemd starts a master: no root, but with a right of root. */
static void drop_a_capability(void *arg)
{
    const struct privileges *nobody = arg;
    struct privileges p;
    prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
    if (setresuid(nobody->uid, nobody->uid, nobody->uid) < 0 ||
        !set_capabilities(1U << CAP_NET_BIND_SERVICE) ||
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0, 0) < 0 ||
        !has_capability(CAP_NET_BIND_SERVICE))
        _exit(1);
    if (privileges_find(NULL, NULL, &p) < 0 || privileges_drop(&p) < 0)
        _exit(2);
    if (has_capability(CAP_NET_BIND_SERVICE))
        _exit(3);
}

static void test_the_masters_capabilities_are_its_own(void **state)
{
    struct privileges nobody;
    if (geteuid() != 0)
        skip();
    assert_int_equal(privileges_find("nobody", NULL, &nobody), 0);
    assert_int_equal(spawn_call(drop_a_capability, &nobody, 10000, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_named_means_as_we_are),
        cmocka_unit_test(test_unknown_names),
        cmocka_unit_test(test_drop_is_for_good),
        cmocka_unit_test(test_the_masters_capabilities_are_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* site: which paths lead to a file, and that none leads out of the folder. */
#include "web/site.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "support/spawn.h"
#include "support/tmpdir.h"

static struct tmpdir dir;
static struct site *site;

static void link_to(const char *target, const char *name)
{
    assert_int_equal(symlink(target, tmpdir_path(&dir, name)), 0);
}

static int set_up(void **state)
{
    dir = tmpdir_make();
    tmpdir_write(&dir, "secret.txt", "secret");
    tmpdir_mkdir(&dir, "www");
    tmpdir_write(&dir, "www/index.html", "home");
    tmpdir_write(&dir, "www/a b.txt", "blank");
    tmpdir_write(&dir, "www/\xe5\xbe\xae.svg", "wei");
    tmpdir_write(&dir, "www/.htpasswd", "hidden");
    tmpdir_mkdir(&dir, "www/sub");
    tmpdir_write(&dir, "www/sub/index.html", "sub");
    tmpdir_mkdir(&dir, "www/empty");
    tmpdir_mkdir(&dir, "www/.git");
    tmpdir_write(&dir, "www/.git/config", "hidden");
    tmpdir_mkdir(&dir, "www/.well-known");
    tmpdir_write(&dir, "www/.well-known/token", "token");
    link_to("sub/index.html", "www/inside.html");
    link_to("../secret.txt", "www/outside.txt");
    link_to("/etc", "www/etc");
    link_to("loop", "www/loop");
    assert_int_equal(mkfifo(tmpdir_path(&dir, "www/pipe"), 0600), 0);
    site = site_open(tmpdir_path(&dir, "www"), "index.html");
    assert_non_null(site);
    return 0;
}

static int tear_down(void **state)
{
    site_close(site);
    tmpdir_remove(&dir);
    return 0;
}

/* The file's content, or the result code as text. */
static void check(struct span path, const char *want)
{
    char got[64];
    struct site_file file;
    int rc = site_find(site, path, &file);
    if (rc == 0) {
        ssize_t n = read(file.fd, got, sizeof got - 1);
        assert_true(n >= 0);
        got[n] = '\0';
        assert_int_equal(file.stat.st_size, n);
        close(file.fd);
    } else {
        snprintf(got, sizeof got, "%s",
                 rc == SITE_NEEDS_SLASH ? "slash"
                 : rc == -ENOENT        ? "no"
                 : rc == -EINVAL        ? "bad"
                                        : strerror(-rc));
    }
    if (strcmp(got, want) != 0)
        print_error("path %.*s\n", (int)path.len, (const char *)path.at);
    assert_string_equal(got, want);
}

static void finds(void **state)
{
    check(span_str("/"), "home");
    check(span_str("/index.html"), "home");
    check(span_str("/sub/"), "sub");
    check(span_str("/sub/index.html"), "sub");
    check(span_str("/a%20b.txt"), "blank");
    check(span_str("/%E5%be%ae.svg"), "wei");
    check(span_str("/i%6edex.html"), "home");
    check(span_str("/.well-known/token"), "token");
    check(span_str("/inside.html"), "sub");
}

static void redirects(void **state)
{
    check(span_str("/sub"), "slash");
    check(span_str("/empty"), "slash");
}

static void hides(void **state)
{
    static const char *const paths[] = {
        "/missing",
        "/index.html/",
        "/index.html/x",
        "/empty/",
        "/.htpasswd",
        "/.git/config",
        "/%2egit/config",
        "/sub/../index.html",
        "/sub/.",
        "/..",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/%2E./secret.txt",
        "/..%2fsecret.txt",
        "/sub%2findex.html",
        "/%2fetc/passwd",
        "//etc/passwd",
        "//",
        "/sub//index.html",
        "/outside.txt",
        "/etc/passwd",
        "/etc/",
        "/loop",
        "/pipe",
        "/sub/.well-known/",
        "/.well-knownx/token",
    };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        check(span_str(paths[i]), "no");
}

static void refuses_what_is_no_text(void **state)
{
    static const char *const paths[] = {"",     "index.html",     "*",   "/%", "/%4",
                                        "/%zz", "/index.html%00", "/%00"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        check(span_str(paths[i]), "bad");
}

/* Forbids openat2() to this process, as old container engines do. */
static void forbid_openat2(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = ARRAY_LEN(filter), .filter = filter};
    assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    assert_int_equal(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0), 0);
}

static void find_stepwise(void *arg)
{
    forbid_openat2();
    check(span_str("/"), "home");
    check(span_str("/sub/"), "sub");
    check(span_str("/sub/index.html"), "sub");
    check(span_str("/a%20b.txt"), "blank");
    check(span_str("/.well-known/token"), "token");
    redirects(NULL);
    hides(NULL);
    refuses_what_is_no_text(NULL);
    check(span_str("/inside.html"), "no"); /* no links at all */
}

static void without_openat2(void **state)
{
    struct buf output = {0};
    int code = spawn_call(find_stepwise, NULL, 10000, &output);
    if (code != 0)
        print_error("%s\n", buf_cstr(&output));
    buf_fini(&output);
    assert_int_equal(code, 0);
}

static void long_paths(void **state)
{
    static char path[8192];
    memset(path, 'a', sizeof path - 1);
    path[0] = '/';
    check(span_str(path), "no");
    for (size_t i = 0; i < sizeof path - 2; i += 2)
        memcpy(path + i, "/a", 2);
    check(span_str(path), "no");
}

static void types(void **state)
{
    struct site_file file;
    assert_int_equal(site_find(site, span_str("/"), &file), 0);
    assert_string_equal(file.type, "text/html; charset=utf-8");
    close(file.fd);
}

static void a_root_that_is_no_folder(void **state)
{
    assert_null(site_open(tmpdir_path(&dir, "secret.txt"), "index.html"));
    assert_int_equal(errno, ENOTDIR);
    assert_null(site_open(tmpdir_path(&dir, "missing"), "index.html"));
    assert_int_equal(errno, ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds),           cmocka_unit_test(redirects),
        cmocka_unit_test(hides),           cmocka_unit_test(refuses_what_is_no_text),
        cmocka_unit_test(without_openat2), cmocka_unit_test(long_paths),
        cmocka_unit_test(types),           cmocka_unit_test(a_root_that_is_no_folder),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

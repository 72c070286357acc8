/* The log: the shape of a line, levels, rotation, limits, and a full disk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "support/fake_clock.h"
#include "support/spawn.h"
#include "support/tmpdir.h"

static struct tmpdir dir;
static char text[64 * 1024];

static const char *content(const char *name)
{
    tmpdir_read(&dir, name, text, sizeof text);
    return text;
}

static void open_log(const char *name)
{
    assert_int_equal(log_open(tmpdir_path(&dir, name), LOG_INFO, false), 0);
}

static void shape_of_a_line(void **state)
{
    regex_t shape;
    open_log("shape");
    log_set_who("gateway chat #0");
    errno = EBADF;
    log_info("hello %d", 42);
    assert_int_equal(errno, EBADF);
    log_set_who("");
    assert_int_equal(regcomp(&shape,
                             "^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} pid:[0-9]+ "
                             "gateway chat #0: hello 42\n$",
                             REG_EXTENDED),
                     0);
    if (regexec(&shape, content("shape"), 0, NULL, 0) != 0)
        fail_msg("\"%s\"", text);
    regfree(&shape);
    struct stat st;
    assert_int_equal(stat(tmpdir_path(&dir, "shape"), &st), 0);
    assert_int_equal(st.st_mode & 0137, 0);
}

static void levels(void **state)
{
    open_log("levels");
    log_debug("unseen");
    log_warn("seen");
    log_set_level(LOG_DEBUG);
    log_debug("deep");
    assert_null(strstr(content("levels"), "unseen"));
    assert_non_null(strstr(text, ": warning: seen\n"));
    assert_non_null(strstr(text, ": debug: deep\n"));
}

/* A peer's bytes in a message can neither start a line of their own nor steer a terminal. */
static void one_line_per_event(void **state)
{
    open_log("forged");
    log_info("name=%s", "a\nb\x1b[2J\x7f\xe4\xbd\xa0");
    assert_non_null(strstr(content("forged"), ": name=a b?[2J?\xe4\xbd\xa0\n"));
}

static void long_lines_are_cut(void **state)
{
    open_log("long");
    log_info("%05000d", 1);
    log_info("next");
    content("long");
    const char *end = strchr(text, '\n');
    assert_non_null(end);
    assert_int_equal(end - text, 4094);
    assert_non_null(strstr(end, ": next\n"));
}

static void rotation(void **state)
{
    open_log("log");
    log_info("before");
    assert_int_equal(rename(tmpdir_path(&dir, "log"), tmpdir_path(&dir, "log.1")), 0);
    assert_int_equal(log_reopen(), 0);
    log_info("after");
    assert_non_null(strstr(content("log.1"), "before"));
    assert_null(strstr(text, "after"));
    assert_non_null(strstr(content("log"), "after"));
}

static void failed_reopen_keeps_the_file(void **state)
{
    tmpdir_mkdir(&dir, "gone");
    open_log("gone/log");
    assert_int_equal(rename(tmpdir_path(&dir, "gone"), tmpdir_path(&dir, "moved")), 0);
    assert_int_equal(log_reopen(), -ENOENT);
    log_info("still here");
    assert_non_null(strstr(content("moved/log"), "still here"));
    assert_int_equal(log_open(tmpdir_path(&dir, "no/such/folder"), LOG_INFO, false), -ENOENT);
    log_info("and here");
    assert_non_null(strstr(content("moved/log"), "and here"));
}

static void limited_lines(void **state)
{
    struct log_rate rate = {0};
    open_log("limited");
    fake_clock_start(0);
    for (int i = 0; i < 5; i++)
        log_limited(&rate, LOG_WARN, "flood %d", i);
    fake_clock_advance(999);
    log_limited(&rate, LOG_WARN, "flood 5");
    assert_non_null(strstr(content("limited"), "flood 0\n"));
    assert_null(strstr(text, "flood 1"));
    fake_clock_advance(2);
    log_limited(&rate, LOG_WARN, "flood 6");
    fake_clock_stop();
    assert_non_null(strstr(content("limited"), "flood 6 (and 5 more like this)\n"));
    assert_null(strstr(text, "flood 5"));
}

/* /dev/full refuses every write with ENOSPC. */
static void full_disk(void **state)
{
    assert_int_equal(log_open("/dev/full", LOG_INFO, false), 0);
    log_info("one");
    log_info("two");
    open_log("full");
    log_info("three");
    log_info("four");
    assert_non_null(strstr(content("full"), "warning: 2 log lines before this one"));
    assert_non_null(strstr(text, "three\n"));
    assert_null(strstr(strstr(text, "three\n"), "before this one"));
}

static void log_to_both(void *arg)
{
    if (log_open(arg, LOG_INFO, true) < 0)
        return;
    log_info("echoed");
    log_set_echo(false);
    log_info("silent");
    log_fatal("broken %s", "invariant");
}

static void echo_and_fatal(void **state)
{
    struct buf out = {0};
    char path[128];
    snprintf(path, sizeof path, "%s", tmpdir_path(&dir, "both"));
    assert_int_equal(spawn_call(log_to_both, path, 10000, &out), 128 + SIGABRT);
    assert_non_null(strstr(buf_cstr(&out), "echoed\n"));
    assert_null(strstr(buf_cstr(&out), "silent"));
    assert_non_null(strstr(content("both"), "echoed\n"));
    assert_non_null(strstr(text, "silent\n"));
    assert_non_null(strstr(text, "error: broken invariant\n"));
    buf_fini(&out);
}

static int make_dir(void **state)
{
    dir = tmpdir_make();
    return 0;
}

static int remove_dir(void **state)
{
    tmpdir_remove(&dir);
    return 0;
}

static void own_links_are_followed(void **state)
{
    assert_int_equal(symlink("real", tmpdir_path(&dir, "own")), 0);
    open_log("own");
    log_info("hello");
    assert_non_null(strstr(content("real"), "hello"));
}

static void make_foreign_link(const char *name)
{
    enum { OTHER_USER = 12345 };
    assert_int_equal(symlink("precious", tmpdir_path(&dir, name)), 0);
    assert_int_equal(lchown(tmpdir_path(&dir, name), OTHER_USER, OTHER_USER), 0);
}

/* Who owns the log's folder puts a link in its place, while root's server runs or before. */
static void links_of_others_are_not(void **state)
{
    if (geteuid() != 0)
        skip();
    tmpdir_write(&dir, "precious", "as it was");
    make_foreign_link("foreign");
    assert_int_equal(log_open(tmpdir_path(&dir, "foreign"), LOG_INFO, false), -ELOOP);
    open_log("mine");
    assert_int_equal(rename(tmpdir_path(&dir, "mine"), tmpdir_path(&dir, "moved.1")), 0);
    make_foreign_link("mine");
    assert_int_equal(log_reopen(), -ELOOP);
    log_info("hello");
    assert_int_equal(log_give(1, 1), 0);
    struct stat st;
    assert_int_equal(stat(tmpdir_path(&dir, "precious"), &st), 0);
    assert_int_equal(st.st_uid, 0);
    assert_int_equal(stat(tmpdir_path(&dir, "moved.1"), &st), 0);
    assert_int_equal(st.st_uid, 1);
    assert_string_equal(content("precious"), "as it was");
    assert_non_null(strstr(content("moved.1"), "hello"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shape_of_a_line),
        cmocka_unit_test(levels),
        cmocka_unit_test(one_line_per_event),
        cmocka_unit_test(long_lines_are_cut),
        cmocka_unit_test(rotation),
        cmocka_unit_test(failed_reopen_keeps_the_file),
        cmocka_unit_test(limited_lines),
        cmocka_unit_test(full_disk),
        cmocka_unit_test(echo_and_fatal),
        cmocka_unit_test(own_links_are_followed),
        cmocka_unit_test(links_of_others_are_not),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}

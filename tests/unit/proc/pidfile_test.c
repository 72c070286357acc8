/* The pid file: one holder at a time, and no trouble with what a killed server left. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "proc/pidfile.h"
#include "support/tmpdir.h"

static void test_second_open_names_the_holder(void **state)
{
    struct tmpdir d = tmpdir_make();
    const char *path = tmpdir_path(&d, "var/deep/x.pid");
    pid_t holder = 0;
    int fd = pidfile_open(path, &holder);
    assert_true(fd >= 0);
    assert_int_equal(pidfile_holder(path), -1); /* locked, not written yet */
    assert_int_equal(pidfile_write(fd, 4711), 0);
    assert_int_equal(pidfile_open(path, &holder), -EEXIST);
    assert_int_equal(holder, 4711);
    assert_int_equal(pidfile_holder(path), 4711);
    pidfile_close(path, fd, true);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(pidfile_holder(path), 0);
    tmpdir_remove(&d);
}

static void test_stale_file_is_taken_over(void **state)
{
    struct tmpdir d = tmpdir_make();
    const char *path = tmpdir_write(&d, "x.pid", "123456789\nold bytes behind it");
    char text[64];
    pid_t holder = 0;
    assert_int_equal(pidfile_holder(path), 0);
    int fd = pidfile_open(path, &holder);
    assert_true(fd >= 0);
    assert_int_equal(pidfile_write(fd, 5), 0);
    tmpdir_read(&d, "x.pid", text, sizeof text);
    assert_string_equal(text, "5\n");
    pidfile_close(path, fd, true);
    pidfile_close(path, -1, true);
    tmpdir_remove(&d);
}

static void test_a_link_is_not_followed(void **state)
{
    struct tmpdir d = tmpdir_make();
    const char *victim = tmpdir_write(&d, "victim", "precious");
    const char *path = tmpdir_path(&d, "x.pid");
    char text[64];
    pid_t holder = 0;
    assert_int_equal(symlink(victim, path), 0);
    assert_int_equal(pidfile_open(path, &holder), -ELOOP);
    tmpdir_read(&d, "victim", text, sizeof text);
    assert_string_equal(text, "precious");
    tmpdir_remove(&d);
}

static void test_garbage_is_no_pid(void **state)
{
    static const char *const contents[] = {"", "abc", "-5\n", "0\n", "99999999999999999999\n"};
    for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
        struct tmpdir d = tmpdir_make();
        const char *path = tmpdir_write(&d, "x.pid", contents[i]);
        pid_t holder = 7;
        int fd = pidfile_open(path, &holder);
        assert_true(fd >= 0);
        assert_int_equal(pidfile_open(path, &holder), -EEXIST);
        assert_int_equal(holder, 0);
        pidfile_close(path, fd, true);
        tmpdir_remove(&d);
    }
}

static void test_folder_in_the_way_of_a_file(void **state)
{
    struct tmpdir d = tmpdir_make();
    pid_t holder;
    tmpdir_write(&d, "var", "not a folder");
    assert_int_equal(pidfile_open(tmpdir_path(&d, "var/x.pid"), &holder), -ENOTDIR);
    tmpdir_remove(&d);
}

static int asker = -1;

static void on_alarm(int signal_number)
{
    close(asker);
}

/* Whoever asks for the holder locks the file for a moment: that must not keep a server from
 * starting. */
static void test_a_question_is_no_holder(void **state)
{
    struct tmpdir d = tmpdir_make();
    const char *path = tmpdir_write(&d, "x.pid", "4711\n");
    const struct itimerval moment = {.it_value.tv_usec = 20 * 1000};
    asker = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(asker >= 0);
    assert_int_equal(flock(asker, LOCK_SH), 0);
    signal(SIGALRM, on_alarm);
    assert_int_equal(setitimer(ITIMER_REAL, &moment, NULL), 0);
    pid_t holder = 0;
    int fd = pidfile_open(path, &holder);
    assert_true(fd >= 0);
    pidfile_close(path, fd, true);
    tmpdir_remove(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_second_open_names_the_holder),
        cmocka_unit_test(test_stale_file_is_taken_over),
        cmocka_unit_test(test_a_link_is_not_followed),
        cmocka_unit_test(test_garbage_is_no_pid),
        cmocka_unit_test(test_folder_in_the_way_of_a_file),
        cmocka_unit_test(test_a_question_is_no_holder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The [master] section: its defaults with and without the section, and where its files go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/conf.h"
#include "proc/master_conf.h"
#include "support/tmpdir.h"

struct loaded {
    struct tmpdir dir;
    struct conf *conf;
    struct master_conf master;
};

static struct loaded load(const char *text)
{
    static const struct conf_table *const tables[] = {&master_table};
    struct loaded l = {.dir = tmpdir_make()};
    struct buf errors = {0};
    const char *path = tmpdir_write(&l.dir, "chat.conf", text);
    if (conf_load(path, tables, 1, &errors, &l.conf) < 0)
        fail_msg("%s", buf_cstr(&errors));
    master_conf_fill(l.conf, path, &l.master);
    buf_fini(&errors);
    return l;
}

static void unload(struct loaded *l)
{
    master_conf_fini(&l->master);
    conf_free(l->conf);
    tmpdir_remove(&l->dir);
}

static void test_defaults_are_the_same_without_the_section(void **state)
{
    struct loaded with = load("[master]\n"), without = load("\n");
    struct master_conf a = with.master, b = without.master;
    assert_int_equal(a.log_level, b.log_level);
    assert_string_equal(a.stdout_file, b.stdout_file);
    assert_null(a.user);
    assert_null(b.user);
    assert_int_equal(a.stop_timeout_ms, b.stop_timeout_ms);
    assert_int_equal(a.graceful_timeout_ms, b.graceful_timeout_ms);
    assert_int_equal(a.ready_timeout_ms, b.ready_timeout_ms);
    assert_int_equal(a.prepare_timeout_ms, b.prepare_timeout_ms);
    assert_int_equal(a.restart_delay_max_ms, b.restart_delay_max_ms);
    assert_int_equal(a.open_files, b.open_files);
    assert_int_equal(a.sandbox, b.sandbox);
    unload(&with);
    unload(&without);
}

static void test_files_are_named_after_the_config(void **state)
{
    struct loaded l = load("\n");
    assert_string_equal(l.master.pid_file, tmpdir_path(&l.dir, "var/chat.pid"));
    assert_string_equal(l.master.control_socket, tmpdir_path(&l.dir, "var/chat.sock"));
    assert_string_equal(l.master.run_dir, tmpdir_path(&l.dir, "var/chat.run"));
    assert_string_equal(l.master.log_file, tmpdir_path(&l.dir, "var/chat.log"));
    unload(&l);
}

static void test_socket_and_folder_follow_the_pid_file(void **state)
{
    struct loaded l = load("[master]\npid_file = /run/gh/a.pid\nlog_file = log/a.log\n");
    assert_string_equal(l.master.pid_file, "/run/gh/a.pid");
    assert_string_equal(l.master.control_socket, "/run/gh/a.sock");
    assert_string_equal(l.master.run_dir, "/run/gh/a.run");
    assert_string_equal(l.master.log_file, tmpdir_path(&l.dir, "log/a.log"));
    unload(&l);
}

static void test_default_socket_of_a_broken_config(void **state)
{
    struct buf path = {0};
    struct master_conf m;
    master_conf_default_socket("/etc/gh/chat.conf", &path);
    assert_string_equal(buf_cstr(&path), "/etc/gh/var/chat.sock");
    master_conf_default_socket("plain", &path);
    assert_string_equal(buf_cstr(&path), "var/plain.sock");
    master_conf_fill(NULL, "x.conf", &m);
    assert_int_equal(m.stop_timeout_ms, 2000);
    master_conf_fini(&m);
    buf_fini(&path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_are_the_same_without_the_section),
        cmocka_unit_test(test_files_are_named_after_the_config),
        cmocka_unit_test(test_socket_and_folder_follow_the_pid_file),
        cmocka_unit_test(test_default_socket_of_a_broken_config),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

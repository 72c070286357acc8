/* A whole server with a small role: start, crash, reload, stop, as its users see it. */
#include "unit/proc/master_fixture.h"

/* --- tests --- */

static void test_start_and_stop(void **state)
{
    struct server s = server_make("");
    char text[4096];
    server_start(&s, text, sizeof text);
    assert_has(text, " 1 one");
    assert_int_equal(pidfile_holder(s.pid_file), s.pid);
    server_stop(&s);
}

static void test_second_start_is_refused(void **state)
{
    struct server s = server_make("");
    char text[4096], want[64];
    server_start(&s, text, sizeof text);
    struct server twin = s;
    server_spawn(&twin, false);
    assert_int_equal(wait_exit(twin.pid), EXIT_CODE_FAILED);
    tmpdir_read(&s.dir, "out", text, sizeof text);
    snprintf(want, sizeof want, "lamp.conf: already running (pid %d)", (int)s.pid);
    assert_has(text, want);
    assert_true(ask_lamp(&s, "hello\n", text, sizeof text));
    server_stop(&s);
}

static void test_crash_is_restarted_and_counted(void **state)
{
    struct server s = server_make("");
    char before[128], after[128], text[4096];
    server_start(&s, before, sizeof before);
    assert_false(ask_lamp(&s, "x\n", after, sizeof after));
    wait_lamp(&s, after, sizeof after);
    assert_int_not_equal(atoi(before), atoi(after));
    assert_has(after, " 2 one");
    assert_int_equal(command(&s, "status json", text, sizeof text), EXIT_CODE_OK);
    assert_has(text, "{\"exit_status\":7,\"exit_count\":1,\"how\":\"exit status 7\"}");
    assert_int_equal(command(&s, "status", text, sizeof text), EXIT_CODE_OK);
    assert_has(text, "1 sections    1 processes");
    assert_has(text, "text?lamp");
    server_stop(&s);
}

static void test_reload_replaces_the_process(void **state)
{
    struct server s = server_make("count = 3");
    char before[128], after[128], text[4096];
    server_start(&s, before, sizeof before);
    tmpdir_write(&s.dir, "code", "two");
    assert_int_equal(command(&s, "reload", text, sizeof text), EXIT_CODE_OK);
    assert_string_equal(text, "lamp: 3 processes replaced\n");
    assert_true(ask_lamp(&s, "hello\n", after, sizeof after));
    assert_has(after, " 2 two");
    assert_int_equal(access(tmpdir_path(&s.dir, "var/lamp.run/code-1"), F_OK), -1);
    assert_int_equal(access(tmpdir_path(&s.dir, "var/lamp.run/code-2"), F_OK), 0);
    server_stop(&s);
}

static void test_bad_code_leaves_the_old_running(void **state)
{
    struct server s = server_make("");
    char before[128], after[128], text[4096];
    server_start(&s, before, sizeof before);
    tmpdir_write(&s.dir, "code", "error: a semicolon is missing");
    assert_int_equal(command(&s, "reload", text, sizeof text), EXIT_CODE_FAILED);
    assert_has(text, "code:1: error: a semicolon is missing\n");
    assert_has(text, "lamp: FAILED: the build failed; the old code keeps running\n");
    assert_true(ask_lamp(&s, "hello\n", after, sizeof after));
    assert_string_equal(before, after);
    server_stop(&s);
}

static void test_code_that_fails_at_start_leaves_the_old_running(void **state)
{
    struct server s = server_make("");
    char before[128], after[128], text[4096];
    server_start(&s, before, sizeof before);
    tmpdir_write(&s.dir, "code", "fail");
    assert_int_equal(command(&s, "reload", text, sizeof text), EXIT_CODE_FAILED);
    assert_has(text, "ended before it served");
    assert_true(ask_lamp(&s, "hello\n", after, sizeof after));
    assert_string_equal(before, after);
    assert_int_equal(access(tmpdir_path(&s.dir, "var/lamp.run/code-2"), F_OK), -1);
    server_stop(&s);
}

static void test_stuck_process_is_busy_and_stop_kills_it(void **state)
{
    struct server s = server_make("");
    char answer[128], text[4096];
    server_start(&s, answer, sizeof answer);
    assert_false(ask_lamp(&s, "l\n", answer, sizeof answer));
    assert_int_equal(command(&s, "status", text, sizeof text), EXIT_CODE_OK);
    assert_has(text, "[busy]");
    assert_int_equal(command(&s, "connections", text, sizeof text), EXIT_CODE_OK);
    assert_has(text, "lamp #0: [busy]");
    server_stop(&s);
}

static void test_connections(void **state)
{
    struct server s = server_make("");
    char text[4096];
    server_start(&s, text, sizeof text);
    assert_int_equal(command(&s, "connections", text, sizeof text), EXIT_CODE_OK);
    assert_has(text, "Foreign-Address");
    assert_has(text, "2.00K");
    assert_int_equal(command(&s, "dance", text, sizeof text), EXIT_CODE_USAGE);
    assert_int_equal(command(&s, "sta\x01tus", text, sizeof text), EXIT_CODE_USAGE);
    server_stop(&s);
}

static void test_failing_role_fails_the_start(void **state)
{
    static const char *const modes[] = {"mode = fails", "mode = crashes"};
    for (size_t i = 0; i < ARRAY_LEN(modes); i++)
        for (int is_detached = 0; is_detached < 2; is_detached++) {
            struct server s = server_make(modes[i]);
            char text[4096];
            server_spawn(&s, is_detached);
            assert_int_equal(wait_exit(s.pid), EXIT_CODE_FAILED);
            tmpdir_read(&s.dir, "out", text, sizeof text);
            assert_has(text, "lamp #0");
            assert_has(text, i == 0 ? "the lamp is broken" : "killed by signal 6");
            assert_int_equal(pidfile_holder(s.pid_file), 0);
            tmpdir_remove(&s.dir);
        }
}

static void test_detached_start_returns_when_it_serves(void **state)
{
    struct server s = server_make("");
    char text[4096];
    server_spawn(&s, true);
    assert_int_equal(wait_exit(s.pid), EXIT_CODE_OK);
    assert_true(ask_lamp(&s, "hello\n", text, sizeof text));
    assert_true(pidfile_holder(s.pid_file) > 0);
    assert_int_equal(command(&s, "stop graceful", text, sizeof text), EXIT_CODE_OK);
    assert_int_equal(pidfile_holder(s.pid_file), 0);
    tmpdir_remove(&s.dir);
}

static void test_waiting_role_starts_with_a_warning(void **state)
{
    struct server s = server_make("mode = never_ready");
    char text[4096];
    server_spawn(&s, true);
    assert_int_equal(wait_exit(s.pid), EXIT_CODE_OK);
    tmpdir_read(&s.dir, "out", text, sizeof text);
    assert_has(text, "lamp #0 does not serve yet\n");
    assert_int_equal(command(&s, "stop", text, sizeof text), EXIT_CODE_OK);
    tmpdir_remove(&s.dir);
}

static void test_processes_end_with_a_killed_master(void **state)
{
    struct server s = server_make("");
    char answer[128];
    server_start(&s, answer, sizeof answer);
    kill(s.pid, SIGKILL);
    assert_int_equal(wait_exit(s.pid), 128 + SIGKILL);
    uint64_t end_ms = clock_mono_ms() + 20000;
    while (kill(atoi(answer), 0) == 0 && clock_mono_ms() < end_ms)
        usleep(10000);
    assert_int_equal(kill(atoi(answer), 0), -1);
    server_start(&s, answer, sizeof answer); /* the stale files are no obstacle */
    server_stop(&s);
}

static void test_signals(void **state)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP};
    for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
        struct server s = server_make("");
        char text[4096];
        server_start(&s, text, sizeof text);
        kill(s.pid, signals[i]);
        assert_int_equal(wait_exit(s.pid), EXIT_CODE_OK);
        assert_int_equal(access(s.pid_file, F_OK), -1);
        tmpdir_remove(&s.dir);
    }
}

/* The first process of a container inherits what others leave behind, and must bury it. */
static void test_orphans_are_reaped(void **state)
{
    struct server s = server_make("");
    char answer[128];
    int orphan;
    tmpdir_write(&s.dir, "code", "orphan");
    s.is_init = true;
    server_start(&s, answer, sizeof answer);
    assert_int_equal(sscanf(answer, "%*d %*u orphan %d", &orphan), 1);
    for (int looks_n = 0; kill(orphan, 0) == 0; looks_n++) {
        assert_in_range(looks_n, 0, 1000);
        usleep(10000);
    }
    server_stop(&s);
}

/* A build waits for its code from here on … */
static void hold_builds(const struct server *s)
{
    assert_int_equal(unlink(s->code), 0);
    assert_int_equal(mkfifo(s->code, 0600), 0);
}

/* … and one has begun, when this returns; it ends with end_build(). */
static int await_build(const struct server *s)
{
    int fifo = open(s->code, O_WRONLY);
    assert_int_not_equal(fifo, -1);
    return fifo;
}

static void end_build(int fifo)
{
    assert_int_equal(write(fifo, "two", 3), 3);
    close(fifo);
}

static void assert_holds_its_own(const struct server *s, pid_t pid)
{
    assert_int_equal(files_shared_n(pid, s->pid), 1); /* where it listens */
    /* The spare one of its listener. */
    assert_int_equal(files_named_n(pid, "/dev/null"), 1 + files_named_n(getpid(), "/dev/null"));
}

/* Business code must not be able to write into the master's pipe of signals. */
static void test_a_process_holds_its_own_descriptors_only(void **state)
{
    struct server s = server_make("");
    char answer[128], text[4096];
    server_start(&s, answer, sizeof answer);
    assert_holds_its_own(&s, atoi(answer));
    hold_builds(&s);
    pid_t caller = fork();
    if (caller == 0)
        _exit(command(&s, "reload", text, sizeof text));
    int build = await_build(&s);
    assert_false(ask_lamp(&s, "x\n", answer, sizeof answer));
    wait_lamp(&s, answer, sizeof answer);
    assert_holds_its_own(&s, atoi(answer));
    end_build(build);
    assert_int_equal(wait_exit(caller), EXIT_CODE_OK);
    server_stop(&s);
}

/* What a killed server left names a stranger, whom the commands would tell to kill. */
static void test_the_pid_file_is_true_while_modules_are_built(void **state)
{
    struct server s = server_make("");
    char answer[128];
    tmpdir_mkdir(&s.dir, "var");
    tmpdir_write(&s.dir, "var/lamp.pid", "1\n");
    hold_builds(&s);
    server_spawn(&s, false);
    int build = await_build(&s);
    assert_int_equal(pidfile_holder(s.pid_file), s.pid);
    end_build(build);
    wait_lamp(&s, answer, sizeof answer);
    assert_int_equal(pidfile_holder(s.pid_file), s.pid);
    server_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start_and_stop),
        cmocka_unit_test(test_second_start_is_refused),
        cmocka_unit_test(test_crash_is_restarted_and_counted),
        cmocka_unit_test(test_reload_replaces_the_process),
        cmocka_unit_test(test_bad_code_leaves_the_old_running),
        cmocka_unit_test(test_code_that_fails_at_start_leaves_the_old_running),
        cmocka_unit_test(test_stuck_process_is_busy_and_stop_kills_it),
        cmocka_unit_test(test_connections),
        cmocka_unit_test(test_failing_role_fails_the_start),
        cmocka_unit_test(test_detached_start_returns_when_it_serves),
        cmocka_unit_test(test_waiting_role_starts_with_a_warning),
        cmocka_unit_test(test_processes_end_with_a_killed_master),
        cmocka_unit_test(test_signals),
        cmocka_unit_test(test_orphans_are_reaped),
        cmocka_unit_test(test_a_process_holds_its_own_descriptors_only),
        cmocka_unit_test(test_the_pid_file_is_true_while_modules_are_built),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

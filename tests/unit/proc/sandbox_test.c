/* sandbox: a process of its own enters each kind and tries what is forbidden, and what is not. */
#include "proc/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/span.h"
#include "support/tmpdir.h"

static struct tmpdir dir;
static char path[512], log_path[sizeof path + 8];

/* Each says with exit status 0 that all was as it should be, else which step was not. */
#define STEP(ok)                                                                                   \
    do {                                                                                           \
        if (!(ok))                                                                                 \
            _exit(__LINE__ % 100 + 1);                                                             \
    } while (0)

static bool is_refused(long answer)
{
    return answer == -1 && errno == EPERM;
}

static void *run(void *arg)
{
    *(int *)arg = 1;
    return NULL;
}

static void enter(enum sandbox_mode mode, enum sandbox_kind kind)
{
    STEP(log_open(log_path, LOG_INFO, false) == 0);
    STEP(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    STEP(sandbox_enter(mode, kind) == 0);
}

static void in_a_server(void)
{
    char *const args[] = {(char[]){"/bin/true"}, NULL};
    int has_run = 0;
    pthread_t thread;
    pid_t pid;
    enter(SANDBOX_ON, SANDBOX_SERVER);
    STEP(is_refused(execv(args[0], args)));
    STEP(is_refused(fork()));
    STEP(posix_spawn(&pid, args[0], NULL, NULL, args, NULL) == EPERM); /* blocks all signals */
    STEP(is_refused(open(path, O_RDWR)));
    STEP(is_refused(open(path, O_WRONLY | O_TRUNC)));
    STEP(is_refused(open(path, O_WRONLY)));
    STEP(is_refused(rename(path, log_path)));
    STEP(is_refused(chmod(path, 0777)));
    STEP(is_refused(ptrace(PTRACE_TRACEME, 0, NULL, NULL)));
    STEP(is_refused(socket(AF_PACKET, SOCK_RAW, 0)));
    STEP(is_refused(kill(getppid(), 0)));
    STEP(is_refused(setuid(0)));
    STEP(is_refused(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)));
    /* What serving takes goes on. */
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    STEP(fd >= 0 && close(fd) == 0);
    STEP(log_reopen() == 0);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    STEP(fd >= 0 && close(fd) == 0);
    STEP(pthread_create(&thread, NULL, run, &has_run) == 0);
    STEP(pthread_join(thread, NULL) == 0 && has_run == 1);
    free(malloc(64 << 20));
    _exit(0);
}

static void in_a_worker(void)
{
    enter(SANDBOX_ON, SANDBOX_MODULE);
    STEP(is_refused(ptrace(PTRACE_TRACEME, 0, NULL, NULL)));
    STEP(is_refused(syscall(SYS_bpf, 0, NULL, 0)));
    STEP(is_refused(syscall(SYS_keyctl, 0, 0, 0, 0)));
    STEP(is_refused(chroot("/")));
    STEP(is_refused(unshare(0)));
    /* Business code writes files and runs programs. */
    int fd = open(path, O_RDWR | O_TRUNC);
    STEP(fd >= 0 && close(fd) == 0);
    pid_t pid = fork();
    STEP(pid >= 0);
    if (pid == 0)
        execl("/bin/true", "true", NULL);
    int status = -1;
    STEP(waitpid(pid, &status, 0) == pid && status == 0);
    _exit(0);
}

/* Nothing is refused, only written down: of the kernel's own no to a call nothing is said here. */
static void in_a_logged_server(void)
{
    enter(SANDBOX_LOG, SANDBOX_SERVER);
    (void)!chroot("/");
    int fd = open(path, O_RDWR);
    STEP(fd >= 0 && close(fd) == 0);
    STEP(chmod(path, 0600) == 0);
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    int status = -1;
    STEP(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
    _exit(0);
}

/* Its pid, gone by now. */
static pid_t survive(void (*body)(void))
{
    int status = -1;
    if (sandbox_hindrance()) {
        print_message("no sandbox here: %s\n", sandbox_hindrance());
        skip();
    }
    pid_t pid = fork();
    if (pid == 0)
        body();
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (status != 0)
        fail_msg("wait status %d; the low digits of the exit status are those of the line", status);
    return pid;
}

static void check(void (*body)(void), const char *in_log)
{
    survive(body);
    char text[4096] = "";
    FILE *f = fopen(log_path, "r");
    assert_non_null(f);
    assert_true(fread(text, 1, sizeof text - 1, f) > 0);
    fclose(f);
    unlink(log_path);
    if (!strstr(text, in_log))
        fail_msg("\"%s\" is not in: %s", in_log, text);
}

static void a_server_only_serves(void **state)
{
    check(in_a_server, "the sandbox refused the system call execve (");
}

static void a_worker_does_not_take_the_machine_apart(void **state)
{
    check(in_a_worker, "the sandbox refused the system call ptrace (");
}

/* A record of audit(8) about that process and call: 1326 is AUDIT_SECCOMP (linux/audit.h). */
static bool is_in_kernel_log(pid_t pid, long call)
{
    static char text[1 << 18];
    char who[32], what[32];
    int n = klogctl(3 /* SYSLOG_ACTION_READ_ALL */, text, sizeof text - 1);
    text[n > 0 ? n : 0] = '\0';
    snprintf(who, sizeof who, " pid=%d ", (int)pid);
    snprintf(what, sizeof what, " syscall=%ld ", call);
    for (char *rest = text, *line; (line = strsep(&rest, "\n"));)
        if (strstr(line, "type=1326") && strstr(line, who) && strstr(line, what))
            return true;
    return false;
}

/* The record comes a little later. The kernel prints ten in five seconds, so another try has to
 * wait for that; where auditd runs, in a container, or for other users than root none is to be
 * seen. */
static void log_names_the_call_and_lets_it_be_made(void **state)
{
    bool may_see = klogctl(10 /* SYSLOG_ACTION_SIZE_BUFFER */, NULL, 0) > 0 && geteuid() == 0;
    for (int i = 0; i < 3; i++) {
        pid_t pid = survive(in_a_logged_server);
        usleep(200000);
        if (!may_see || is_in_kernel_log(pid, SYS_chroot))
            break;
        print_message("the calls were made, but the kernel has no record of them\n");
        sleep(i < 2 ? 6 : 0);
    }
}

static void off_changes_nothing(void **state)
{
    assert_int_equal(sandbox_enter(SANDBOX_OFF, SANDBOX_SERVER), 0);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    close(fd);
}

static int setup(void **state)
{
    dir = tmpdir_make();
    snprintf(path, sizeof path, "%s", tmpdir_write(&dir, "file", "content"));
    snprintf(log_path, sizeof log_path, "%s.log", path);
    return 0;
}

static int teardown(void **state)
{
    tmpdir_remove(&dir);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(off_changes_nothing),
        cmocka_unit_test(a_server_only_serves),
        cmocka_unit_test(a_worker_does_not_take_the_machine_apart),
        cmocka_unit_test(log_names_the_call_and_lets_it_be_made),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

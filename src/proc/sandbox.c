/* Which system calls a process may still make.
 *
 * Of our own code a list says what is allowed; of business code, what is not. The filter is entered
 * once the role has started, so that it need not allow what only starting takes. A refused call
 * raises SIGSYS instead of being made; the handler tells the log and lets it fail with EPERM, since
 * a server that a rare path of some library ends would be a worse one than one that goes on
 * without. */
#include "proc/sandbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#ifndef HAS_SECCOMP

const char *sandbox_hindrance(void)
{
    return "built without libseccomp";
}

int sandbox_enter(enum sandbox_mode mode, enum sandbox_kind kind)
{
    return mode == SANDBOX_ON || mode == SANDBOX_LOG ? -ENOSYS : 0;
}

#else

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <ucontext.h>
#include <unistd.h>

#include "proc/sandbox_list.h"

/* ---- where there is none ---- */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define IS_SANITIZED true
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED false
#endif

/* In programs that count which lines ran, which write files at their end. */
extern void __gcov_init(void *) __attribute__((weak));            /* gcc --coverage */
extern void llvm_gcov_init(void *, void *) __attribute__((weak)); /* clang --coverage */
extern int __llvm_profile_runtime __attribute__((weak)); /* clang -fprofile-instr-generate */

const char *sandbox_hindrance(void)
{
    const char *preload = getenv("LD_PRELOAD");
    if (IS_SANITIZED)
        return "built with a sanitizer";
    if (__gcov_init || llvm_gcov_init || &__llvm_profile_runtime)
        return "built to measure coverage";
    if (preload && strstr(preload, "vgpreload"))
        return "run by valgrind";
    return NULL;
}

/* ---- a refused call ---- */

enum { CALLS_MAX = 512 };

/* Looked up before, since a signal handler may not allocate. */
static char *names[CALLS_MAX];

static void look_up_names(void)
{
    for (int i = 0; i < CALLS_MAX; i++)
        if (!names[i])
            names[i] = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, i);
}

static const char *name_of(int call)
{
    return call >= 0 && call < CALLS_MAX && names[call] ? names[call] : "unknown";
}

/* seccomp(2), SECCOMP_RET_TRAP: the call was not made, and returns what its register says. */
static void fail_with_eperm(ucontext_t *at)
{
#if defined(__x86_64__)
    at->uc_mcontext.gregs[REG_RAX] = -EPERM;
#elif defined(__aarch64__)
    at->uc_mcontext.regs[0] = (unsigned long long)-EPERM;
#else
    _exit(128 + SIGSYS);
#endif
}

/* It comes out of a call of this very thread, so there is nothing that it could have interrupted.
 */
static void on_refused(int signal_number, siginfo_t *info, void *context)
{
    static struct log_rate rate;
    static _Thread_local bool is_inside;
    int saved = errno;
    if (!is_inside) {
        is_inside = true;
        log_limited(&rate, LOG_ERROR, "the sandbox refused the system call %s (%d)",
                    name_of(info->si_syscall), info->si_syscall);
        is_inside = false;
    }
    errno = saved;
    fail_with_eperm(context);
}

/* ---- the filter ---- */

/* Calls that this kernel or machine does not have are no mistake: libseccomp knows those of all. */
static int add(scmp_filter_ctx filter, uint32_t action, const char *name)
{
    int call = seccomp_syscall_resolve_name(name);
    return call == __NR_SCMP_ERROR ? 0 : seccomp_rule_add(filter, action, call, 0);
}

static int add_all(scmp_filter_ctx filter, uint32_t action, const char *const *list)
{
    int rc = 0;
    for (; *list && rc >= 0; list++)
        rc = add(filter, action, *list);
    return rc;
}

/* Files are read; one is only ever added to, which a log that is opened again needs. */
static int allow_files(scmp_filter_ctx filter)
{
    const scmp_datum_t writing = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND;
    const scmp_datum_t appending = O_WRONLY | O_CREAT | O_APPEND;
    int rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
                              SCMP_A2(SCMP_CMP_MASKED_EQ, writing, O_RDONLY));
    if (rc == 0)
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
                              SCMP_A2(SCMP_CMP_MASKED_EQ, writing, appending));
    return rc;
}

/* Netlink is how getaddrinfo(3) learns which addresses this host has. */
static int allow_sockets(scmp_filter_ctx filter)
{
    static const int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof families / sizeof families[0]; i++)
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
                              SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i], 0));
    return rc;
}

/* Threads, but no processes: the resolver is one. clone3() hides its flags from filters; without it
 * the C library goes on with clone(). A new process is refused without a trap: posix_spawn(3), and
 * fork(3) of glibc 2.41, make it with all signals blocked, and a SIGSYS that is blocked ends the
 * caller. */
static int allow_threads(scmp_filter_ctx filter, uint32_t refusal)
{
    int rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                              SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
    if (rc == 0 && refusal == SCMP_ACT_TRAP)
        rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                              SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
    int clone3 = seccomp_syscall_resolve_name("clone3");
    if (rc == 0 && clone3 != __NR_SCMP_ERROR)
        rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), clone3, 0);
    if (rc == 0) /* abort(3), of itself only */
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                              SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
    if (rc == 0)
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
                              SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME, 0));
    return rc;
}

static int fill(scmp_filter_ctx filter, uint32_t refusal, enum sandbox_kind kind)
{
    if (kind == SANDBOX_MODULE)
        return add_all(filter, refusal, sandbox_never);
    int rc = add_all(filter, SCMP_ACT_ALLOW, sandbox_serving);
    if (rc == 0 && kind == SANDBOX_FILES)
        rc = add(filter, SCMP_ACT_ALLOW, "openat2");
    if (rc == 0)
        rc = allow_files(filter);
    if (rc == 0)
        rc = allow_sockets(filter);
    return rc == 0 ? allow_threads(filter, refusal) : rc;
}

static int load(uint32_t refusal, enum sandbox_kind kind)
{
    scmp_filter_ctx filter = seccomp_init(kind == SANDBOX_MODULE ? SCMP_ACT_ALLOW : refusal);
    if (!filter)
        return -ENOMEM;
    int rc = fill(filter, refusal, kind);
    if (rc == 0)
        rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    /* Otherwise older kernels turn on mitigations that cost more than the filter does. */
    if (rc == 0)
        (void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
    if (rc == 0)
        rc = seccomp_load(filter);
    seccomp_release(filter);
    return rc;
}

int sandbox_enter(enum sandbox_mode mode, enum sandbox_kind kind)
{
    const char *hindrance = sandbox_hindrance();
    if (mode == SANDBOX_OFF || (mode == SANDBOX_AUTO && hindrance))
        return 0;
    if (hindrance) {
        log_error("there is no sandbox here: %s", hindrance);
        return -ENOSYS;
    }
    struct sigaction refused = {.sa_sigaction = on_refused, .sa_flags = SA_SIGINFO | SA_NODEFER};
    look_up_names();
    sigaction(SIGSYS, &refused, NULL);
    int rc = load(mode == SANDBOX_LOG ? SCMP_ACT_LOG : SCMP_ACT_TRAP, kind);
    if (rc == 0)
        return 0;
    if (mode == SANDBOX_AUTO) {
        log_warn("no sandbox: the kernel does not take the filter: %s", strerror(-rc));
        return 0;
    }
    log_error("the kernel does not take the sandbox's filter: %s", strerror(-rc));
    return rc;
}

#endif

/* The names of system calls that the sandbox's filters are made of. */
#include "proc/sandbox_list.h"

#include <stddef.h>

/* Beside these sandbox.c allows some with certain arguments: openat, socket, clone, tgkill, prctl.
 * Not here: everything that starts programs, writes files, gives rights or looks into processes. */
const char *const sandbox_serving[] = {
    /* memory; with PROT_EXEC too, since name resolution loads libraries when it is first used */
    "brk", "madvise", "mlock", "mmap", "mprotect", "mremap", "munmap",
    /* time */
    "alarm", "clock_getres", "clock_gettime", "clock_nanosleep", "gettimeofday", "nanosleep",
    "setitimer", "time",
    /* descriptors and the loop */
    "close", "close_range", "dup", "dup2", "dup3", "epoll_create1", "epoll_ctl", "epoll_pwait",
    "epoll_pwait2", "epoll_wait", "eventfd2", "fcntl", "fstat", "getdents64", "ioctl", "lseek",
    "pipe2", "poll", "ppoll", "pread64", "preadv", "pselect6", "read", "readv", "select",
    "sendfile", "write", "writev",
    /* sockets */
    "accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "listen",
    "recvfrom", "recvmmsg", "recvmsg", "sendmmsg", "sendmsg", "sendto", "setsockopt", "shutdown",
    "socketpair",
    /* looking at files; unlink takes our own socket away at the end */
    "access", "faccessat", "faccessat2", "fstatfs", "getcwd", "lstat", "newfstatat", "readlink",
    "readlinkat", "stat", "statfs", "statx", "unlink", "unlinkat",
    /* signals and threads */
    "exit", "exit_group", "futex", "membarrier", "restart_syscall", "rseq", "rt_sigaction",
    "rt_sigpending", "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait", "sched_getaffinity",
    "sched_yield", "set_robust_list", "set_tid_address", "sigaltstack",
    /* who and where we are */
    "arch_prctl", "getegid", "geteuid", "getgid", "getpid", "getppid", "getpriority", "getrandom",
    "getrlimit", "getrusage", "gettid", "getuid", "sysinfo", "times", "uname", NULL};

/* What takes the machine apart, or other processes; most of it needs rights that nobody should have
 * here, and has had faults in the kernel that gave them. */
const char *const sandbox_never[] = {
    /* other processes */
    "kcmp", "pidfd_getfd", "process_madvise", "process_vm_readv", "process_vm_writev", "ptrace",
    /* the kernel itself */
    "acct", "bpf", "delete_module", "finit_module", "init_module", "iopl", "ioperm",
    "kexec_file_load", "kexec_load", "lookup_dcookie", "perf_event_open", "reboot", "swapoff",
    "swapon", "syslog", "userfaultfd",
    /* keys */
    "add_key", "keyctl", "request_key",
    /* mounts, namespaces, files without a path */
    "chroot", "fsconfig", "fsmount", "fsopen", "fspick", "mount", "mount_setattr", "move_mount",
    "name_to_handle_at", "open_by_handle_at", "open_tree", "pivot_root", "quotactl", "setns",
    "umount2", "unshare",
    /* clocks and names of the host */
    "adjtimex", "clock_adjtime", "clock_settime", "sethostname", "setdomainname", "settimeofday",
    NULL};

// SPDX-License-Identifier: Apache-2.0
/* check-sizes: table */
#include "oci/seccomp.h"

#include <errno.h>
#include <linux/sched.h>
#include <string.h>

#include "base/json.h"
#include "base/own.h"
#include "oci/capabilities.h"

/* The default profile: everything that is not allowed here fails with EPERM. Runtimes leave out the
 * names that their libseccomp does not know, so the lists need not fit one architecture or age. */

#define NAMES_MAX 24

/* Allowed always. */
static const char *const BASE[] = {"accept",
                                   "accept4",
                                   "access",
                                   "adjtimex",
                                   "alarm",
                                   "bind",
                                   "brk",
                                   "cachestat",
                                   "capget",
                                   "capset",
                                   "chdir",
                                   "chmod",
                                   "chown",
                                   "chown32",
                                   "clock_adjtime",
                                   "clock_adjtime64",
                                   "clock_getres",
                                   "clock_getres_time64",
                                   "clock_gettime",
                                   "clock_gettime64",
                                   "clock_nanosleep",
                                   "clock_nanosleep_time64",
                                   "close",
                                   "close_range",
                                   "connect",
                                   "copy_file_range",
                                   "creat",
                                   "dup",
                                   "dup2",
                                   "dup3",
                                   "epoll_create",
                                   "epoll_create1",
                                   "epoll_ctl",
                                   "epoll_ctl_old",
                                   "epoll_pwait",
                                   "epoll_pwait2",
                                   "epoll_wait",
                                   "epoll_wait_old",
                                   "eventfd",
                                   "eventfd2",
                                   "execve",
                                   "execveat",
                                   "exit",
                                   "exit_group",
                                   "faccessat",
                                   "faccessat2",
                                   "fadvise64",
                                   "fadvise64_64",
                                   "fallocate",
                                   "fanotify_mark",
                                   "fchdir",
                                   "fchmod",
                                   "fchmodat",
                                   "fchmodat2",
                                   "fchown",
                                   "fchown32",
                                   "fchownat",
                                   "fcntl",
                                   "fcntl64",
                                   "fdatasync",
                                   "fgetxattr",
                                   "flistxattr",
                                   "flock",
                                   "fork",
                                   "fremovexattr",
                                   "fsetxattr",
                                   "fstat",
                                   "fstat64",
                                   "fstatat64",
                                   "fstatfs",
                                   "fstatfs64",
                                   "fsync",
                                   "ftruncate",
                                   "ftruncate64",
                                   "futex",
                                   "futex_requeue",
                                   "futex_time64",
                                   "futex_wait",
                                   "futex_waitv",
                                   "futex_wake",
                                   "futimesat",
                                   "getcpu",
                                   "getcwd",
                                   "getdents",
                                   "getdents64",
                                   "getegid",
                                   "getegid32",
                                   "geteuid",
                                   "geteuid32",
                                   "getgid",
                                   "getgid32",
                                   "getgroups",
                                   "getgroups32",
                                   "getitimer",
                                   "getpeername",
                                   "getpgid",
                                   "getpgrp",
                                   "getpid",
                                   "getppid",
                                   "getpriority",
                                   "getrandom",
                                   "getresgid",
                                   "getresgid32",
                                   "getresuid",
                                   "getresuid32",
                                   "getrlimit",
                                   "get_robust_list",
                                   "getrusage",
                                   "getsid",
                                   "getsockname",
                                   "getsockopt",
                                   "get_thread_area",
                                   "gettid",
                                   "gettimeofday",
                                   "getuid",
                                   "getuid32",
                                   "getxattr",
                                   "getxattrat",
                                   "inotify_add_watch",
                                   "inotify_init",
                                   "inotify_init1",
                                   "inotify_rm_watch",
                                   "io_cancel",
                                   "ioctl",
                                   "io_destroy",
                                   "io_getevents",
                                   "io_pgetevents",
                                   "io_pgetevents_time64",
                                   "ioprio_get",
                                   "ioprio_set",
                                   "io_setup",
                                   "io_submit",
                                   "ipc",
                                   "kill",
                                   "landlock_add_rule",
                                   "landlock_create_ruleset",
                                   "landlock_restrict_self",
                                   "lchown",
                                   "lchown32",
                                   "lgetxattr",
                                   "link",
                                   "linkat",
                                   "listen",
                                   "listmount",
                                   "listxattr",
                                   "listxattrat",
                                   "llistxattr",
                                   "_llseek",
                                   "lremovexattr",
                                   "lseek",
                                   "lsetxattr",
                                   "lsm_get_self_attr",
                                   "lsm_list_modules",
                                   "lsm_set_self_attr",
                                   "lstat",
                                   "lstat64",
                                   "madvise",
                                   "membarrier",
                                   "memfd_create",
                                   "memfd_secret",
                                   "mincore",
                                   "mkdir",
                                   "mkdirat",
                                   "mknod",
                                   "mknodat",
                                   "mlock",
                                   "mlock2",
                                   "mlockall",
                                   "map_shadow_stack",
                                   "mmap",
                                   "mmap2",
                                   "mprotect",
                                   "mq_getsetattr",
                                   "mq_notify",
                                   "mq_open",
                                   "mq_timedreceive",
                                   "mq_timedreceive_time64",
                                   "mq_timedsend",
                                   "mq_timedsend_time64",
                                   "mq_unlink",
                                   "mremap",
                                   "mseal",
                                   "msgctl",
                                   "msgget",
                                   "msgrcv",
                                   "msgsnd",
                                   "msync",
                                   "munlock",
                                   "munlockall",
                                   "munmap",
                                   "name_to_handle_at",
                                   "nanosleep",
                                   "newfstatat",
                                   "_newselect",
                                   "open",
                                   "openat",
                                   "openat2",
                                   "pause",
                                   "pidfd_open",
                                   "pidfd_send_signal",
                                   "pipe",
                                   "pipe2",
                                   "pkey_alloc",
                                   "pkey_free",
                                   "pkey_mprotect",
                                   "poll",
                                   "ppoll",
                                   "ppoll_time64",
                                   "prctl",
                                   "pread64",
                                   "preadv",
                                   "preadv2",
                                   "prlimit64",
                                   "process_mrelease",
                                   "pselect6",
                                   "pselect6_time64",
                                   "pwrite64",
                                   "pwritev",
                                   "pwritev2",
                                   "read",
                                   "readahead",
                                   "readlink",
                                   "readlinkat",
                                   "readv",
                                   "recv",
                                   "recvfrom",
                                   "recvmmsg",
                                   "recvmmsg_time64",
                                   "recvmsg",
                                   "remap_file_pages",
                                   "removexattr",
                                   "removexattrat",
                                   "rename",
                                   "renameat",
                                   "renameat2",
                                   "restart_syscall",
                                   "rmdir",
                                   "rseq",
                                   "rt_sigaction",
                                   "rt_sigpending",
                                   "rt_sigprocmask",
                                   "rt_sigqueueinfo",
                                   "rt_sigreturn",
                                   "rt_sigsuspend",
                                   "rt_sigtimedwait",
                                   "rt_sigtimedwait_time64",
                                   "rt_tgsigqueueinfo",
                                   "sched_getaffinity",
                                   "sched_getattr",
                                   "sched_getparam",
                                   "sched_get_priority_max",
                                   "sched_get_priority_min",
                                   "sched_getscheduler",
                                   "sched_rr_get_interval",
                                   "sched_rr_get_interval_time64",
                                   "sched_setaffinity",
                                   "sched_setattr",
                                   "sched_setparam",
                                   "sched_setscheduler",
                                   "sched_yield",
                                   "seccomp",
                                   "select",
                                   "semctl",
                                   "semget",
                                   "semop",
                                   "semtimedop",
                                   "semtimedop_time64",
                                   "send",
                                   "sendfile",
                                   "sendfile64",
                                   "sendmmsg",
                                   "sendmsg",
                                   "sendto",
                                   "setfsgid",
                                   "setfsgid32",
                                   "setfsuid",
                                   "setfsuid32",
                                   "setgid",
                                   "setgid32",
                                   "setgroups",
                                   "setgroups32",
                                   "setitimer",
                                   "setpgid",
                                   "setpriority",
                                   "setregid",
                                   "setregid32",
                                   "setresgid",
                                   "setresgid32",
                                   "setresuid",
                                   "setresuid32",
                                   "setreuid",
                                   "setreuid32",
                                   "setrlimit",
                                   "set_robust_list",
                                   "setsid",
                                   "setsockopt",
                                   "set_thread_area",
                                   "set_tid_address",
                                   "setuid",
                                   "setuid32",
                                   "setxattr",
                                   "setxattrat",
                                   "shmat",
                                   "shmctl",
                                   "shmdt",
                                   "shmget",
                                   "shutdown",
                                   "sigaltstack",
                                   "signalfd",
                                   "signalfd4",
                                   "sigprocmask",
                                   "sigreturn",
                                   "socketcall",
                                   "socketpair",
                                   "splice",
                                   "stat",
                                   "stat64",
                                   "statfs",
                                   "statfs64",
                                   "statmount",
                                   "statx",
                                   "symlink",
                                   "symlinkat",
                                   "sync",
                                   "sync_file_range",
                                   "syncfs",
                                   "sysinfo",
                                   "tee",
                                   "tgkill",
                                   "time",
                                   "timer_create",
                                   "timer_delete",
                                   "timer_getoverrun",
                                   "timer_gettime",
                                   "timer_gettime64",
                                   "timer_settime",
                                   "timer_settime64",
                                   "timerfd_create",
                                   "timerfd_gettime",
                                   "timerfd_gettime64",
                                   "timerfd_settime",
                                   "timerfd_settime64",
                                   "times",
                                   "tkill",
                                   "truncate",
                                   "truncate64",
                                   "ugetrlimit",
                                   "umask",
                                   "uname",
                                   "unlink",
                                   "unlinkat",
                                   "uretprobe",
                                   "utime",
                                   "utimensat",
                                   "utimensat_time64",
                                   "utimes",
                                   "vfork",
                                   "vmsplice",
                                   "wait4",
                                   "waitid",
                                   "waitpid",
                                   "write",
                                   "writev"};

/* Allowed with a capability in the bounding set. */
static const struct {
    const char *capability;
    const char *names[NAMES_MAX];
} BY_CAPABILITY[] = {
    {"DAC_READ_SEARCH", {"open_by_handle_at"}},
    {"SYS_ADMIN", {"bpf",           "clone",         "clone3",      "fanotify_init",   "fsconfig",
                   "fsmount",       "fsopen",        "fspick",      "lookup_dcookie",  "mount",
                   "mount_setattr", "move_mount",    "open_tree",   "perf_event_open", "quotactl",
                   "quotactl_fd",   "setdomainname", "sethostname", "setns",           "syslog",
                   "umount",        "umount2",       "unshare"}},
    {"SYS_BOOT", {"reboot"}},
    {"SYS_CHROOT", {"chroot"}},
    {"SYS_MODULE", {"delete_module", "init_module", "finit_module"}},
    {"SYS_PACCT", {"acct"}},
    {"SYS_PTRACE",
     {"kcmp", "pidfd_getfd", "process_madvise", "process_vm_readv", "process_vm_writev", "ptrace"}},
    {"SYS_RAWIO", {"iopl", "ioperm"}},
    {"SYS_TIME", {"settimeofday", "stime", "clock_settime", "clock_settime64"}},
    {"SYS_TTY_CONFIG", {"vhangup"}},
    {"SYS_NICE", {"get_mempolicy", "mbind", "set_mempolicy", "set_mempolicy_home_node"}},
    {"SYSLOG", {"syslog"}},
    {"BPF", {"bpf"}},
    {"PERFMON", {"perf_event_open"}},
};

/* What this machine runs: its architectures, and the calls that only they have. */
#if defined(__x86_64__)
static const char *const ARCHITECTURES[] = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"};
static const char *const OF_ARCHITECTURE[] = {"arch_prctl", "modify_ldt"};
#elif defined(__i386__)
static const char *const ARCHITECTURES[] = {"SCMP_ARCH_X86"};
static const char *const OF_ARCHITECTURE[] = {"modify_ldt"};
#elif defined(__aarch64__)
static const char *const ARCHITECTURES[] = {"SCMP_ARCH_ARM", "SCMP_ARCH_AARCH64"};
static const char *const OF_ARCHITECTURE[] = {"arm_fadvise64_64", "arm_sync_file_range",
                                              "sync_file_range2", "breakpoint",
                                              "cacheflush",       "set_tls"};
#elif defined(__arm__)
static const char *const ARCHITECTURES[] = {"SCMP_ARCH_ARM"};
static const char *const OF_ARCHITECTURE[] = {"arm_fadvise64_64", "arm_sync_file_range",
                                              "sync_file_range2", "breakpoint",
                                              "cacheflush",       "set_tls"};
#elif defined(__s390x__)
static const char *const ARCHITECTURES[] = {"SCMP_ARCH_S390", "SCMP_ARCH_S390X"};
static const char *const OF_ARCHITECTURE[] = {"s390_pci_mmio_read", "s390_pci_mmio_write",
                                              "s390_runtime_instr"};
#elif defined(__riscv)
static const char *const ARCHITECTURES[] = {"SCMP_ARCH_RISCV64"};
static const char *const OF_ARCHITECTURE[] = {"riscv_flush_icache", "riscv_hwprobe"};
#elif defined(__powerpc64__)
static const char *const ARCHITECTURES[] = {"SCMP_ARCH_PPC64LE"};
static const char *const OF_ARCHITECTURE[] = {"sync_file_range2", "swapcontext"};
#elif defined(__loongarch64)
static const char *const ARCHITECTURES[] = {"SCMP_ARCH_LOONGARCH64"};
static const char *const OF_ARCHITECTURE[] = {"cacheflush"};
#else
#    error "which seccomp architecture is this?"
#endif

/* clone()'s flags are its first argument, except here. */
#if defined(__s390x__)
enum { CLONE_FLAGS_ARG = 1 };
#else
enum { CLONE_FLAGS_ARG = 0 };
#endif

static const uint64_t NEW_NAMESPACES = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                                       CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP;

/* Calls allowed when an argument compares so. */
static const struct {
    const char *name;
    const char *op;
    uint64_t value;
} BY_ARGUMENT[] = {
    /* socket(): every family but AF_ALG (38) and AF_VSOCK (40) */
    {"socket", "SCMP_CMP_LT", 38},
    {"socket", "SCMP_CMP_EQ", 39},
    {"socket", "SCMP_CMP_GT", 40},
    /* personality(): Linux, Linux with 32 bits, both without address randomisation, and asking */
    {"personality", "SCMP_CMP_EQ", 0x0},
    {"personality", "SCMP_CMP_EQ", 0x8},
    {"personality", "SCMP_CMP_EQ", 0x20000},
    {"personality", "SCMP_CMP_EQ", 0x20008},
    {"personality", "SCMP_CMP_EQ", 0xffffffff},
};

static const char *const SINCE_4_8[] = {"process_vm_readv", "process_vm_writev", "ptrace"};

/* A rule that allows those calls; names end at n or at NULL. */
static struct json_object *allow(struct json_object *rules, const char *const *names, size_t n)
{
    struct json_object *rule = json_add_object(rules, NULL);
    struct json_object *to = json_add_array(rule, "names");

    for (size_t i = 0; i < n && names[i]; i++)
        json_add_str(to, NULL, names[i]);
    json_add_str(rule, "action", "SCMP_ACT_ALLOW");
    return rule;
}

static struct json_object *add_condition(struct json_object *rule, unsigned index, const char *op,
                                         uint64_t value)
{
    struct json_object *condition = json_add_object(json_add_array(rule, "args"), NULL);

    json_add_uint(condition, "index", index);
    json_add_uint(condition, "value", value);
    json_add_str(condition, "op", op);
    return condition;
}

/* Threads and processes, but no namespaces. clone3() has its flags in memory, where no filter can
 * look; with ENOSYS the C library falls back to clone(). */
static void add_clone(struct json_object *rules)
{
    static const char *const clone[] = {"clone"}, *const clone3[] = {"clone3"};
    struct json_object *rule = allow(rules, clone, 1);

    json_add_uint(add_condition(rule, CLONE_FLAGS_ARG, "SCMP_CMP_MASKED_EQ", NEW_NAMESPACES),
                  "valueTwo", 0);
    rule = allow(rules, clone3, 1);
    json_add_str(rule, "action", "SCMP_ACT_ERRNO");
    json_add_uint(rule, "errnoRet", ENOSYS);
}

struct json_object *oci_seccomp_default(const struct oci_host *host, uint64_t capabilities)
{
    struct json_object *profile = json_object_new_object(), *architectures, *rules;

    json_add_str(profile, "defaultAction", "SCMP_ACT_ERRNO");
    architectures = json_add_array(profile, "architectures");
    for (size_t i = 0; i < COUNT_OF(ARCHITECTURES); i++)
        json_add_str(architectures, NULL, ARCHITECTURES[i]);
    rules = json_add_array(profile, "syscalls");
    allow(rules, BASE, COUNT_OF(BASE));
    for (size_t i = 0; i < COUNT_OF(BY_ARGUMENT); i++)
        add_condition(allow(rules, &BY_ARGUMENT[i].name, 1), 0, BY_ARGUMENT[i].op,
                      BY_ARGUMENT[i].value);
    if (oci_host_kernel_is(host, 4, 8))
        allow(rules, SINCE_4_8, COUNT_OF(SINCE_4_8));
    allow(rules, OF_ARCHITECTURE, COUNT_OF(OF_ARCHITECTURE));
    for (size_t i = 0; i < COUNT_OF(BY_CAPABILITY); i++)
        if (capabilities & oci_capabilities_find(BY_CAPABILITY[i].capability))
            allow(rules, BY_CAPABILITY[i].names, NAMES_MAX);
    if (!(capabilities & oci_capabilities_find("SYS_ADMIN")))
        add_clone(rules);
    return profile;
}

// SPDX-License-Identifier: Apache-2.0
#include "os/call_filter.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/own.h"
#include "os/call_names.h"

#if defined(__x86_64__)
#    define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#    define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#    error "the list of system calls is for x86_64 and aarch64"
#endif

#define OFFSET(field) offsetof(struct seccomp_data, field)
/* Both are little-endian: the low half of an argument comes first. */
#define ARGUMENT(n)   (OFFSET(args) + (n) * sizeof(uint64_t))

/* Memory, threads, time, files to be read, and descriptors that are open. */
static const int common[] = {
    SYS_read,
    SYS_write,
    SYS_readv,
    SYS_writev,
    SYS_pread64,
    SYS_pwrite64,
    SYS_close,
    SYS_close_range,
    SYS_lseek,
    SYS_fstat,
    SYS_newfstatat,
    SYS_statx,
    SYS_fcntl,
    SYS_dup,
    SYS_dup3,
    SYS_pipe2,
    SYS_ppoll,
    SYS_eventfd2,
    SYS_mmap,
    SYS_munmap,
    SYS_mprotect,
    SYS_mremap,
    SYS_madvise,
    SYS_brk,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_sigaltstack,
    SYS_futex,
    SYS_set_robust_list,
    SYS_rseq,
    SYS_exit,
    SYS_exit_group,
    SYS_getpid,
    SYS_gettid,
    SYS_tgkill,
    SYS_getrandom,
    SYS_clock_gettime,
    SYS_clock_getres,
    SYS_gettimeofday,
    SYS_nanosleep,
    SYS_uname,
    SYS_clock_nanosleep,
    SYS_sched_yield,
    SYS_restart_syscall,
    SYS_sysinfo,
    SYS_prlimit64,
    SYS_membarrier,
    SYS_openat,
    SYS_faccessat,
    SYS_readlinkat,
    SYS_getdents64,
    SYS_statfs,
    SYS_fstatfs,
    SYS_getuid,
    SYS_geteuid,
    SYS_getgid,
    SYS_getegid,
    SYS_getcwd,
    SYS_sendmsg,
    SYS_recvmsg,
    SYS_signalfd4,
    SYS_ftruncate,
    SYS_rt_sigtimedwait,
    SYS_sched_getaffinity,
#ifdef SYS_poll /* the old names, which aarch64 never had */
    SYS_poll,
    SYS_access,
    SYS_readlink,
    SYS_open,
    SYS_stat,
    SYS_lstat,
    SYS_dup2,
    SYS_pipe,
#endif
};

static const uint32_t ioctls[] = {TCGETS, FIONBIO, FIONREAD};

enum { INSTRUCTIONS_MAX = 512 };

struct program {
    struct sock_filter lines[INSTRUCTIONS_MAX];
    unsigned short len;
};

static void add(struct program *p, struct sock_filter line)
{
    if (p->len == INSTRUCTIONS_MAX)
        abort();
    p->lines[p->len++] = line;
}

static void add_load(struct program *p, size_t offset)
{
    add(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void add_verdict(struct program *p, uint32_t verdict)
{
    add(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, verdict));
}

/* If what is loaded is that value, this is the verdict. */
static void add_case(struct program *p, uint32_t value, uint32_t verdict)
{
    add(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1));
    add_verdict(p, verdict);
}

static void allow_calls(struct program *p, const int calls[], size_t n)
{
    for (size_t i = 0; i < n; i++)
        add_case(p, (uint32_t)calls[i], SECCOMP_RET_ALLOW);
}

/* The call, if that argument is one of the values. The number of the call is loaded before and
 * needed no more behind it. */
static void allow_with(struct program *p, int call, unsigned argument, const uint32_t values[],
                       size_t n)
{
    add(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0,
                                        (uint8_t)(2 * n + 2)));
    add_load(p, ARGUMENT(argument));
    for (size_t i = 0; i < n; i++)
        add_case(p, values[i], SECCOMP_RET_ALLOW);
    add_verdict(p, SECCOMP_RET_TRAP);
}

/* Threads, but no processes, and so no namespaces. clone3() keeps its flags where a filter cannot
 * look; the C library does without when it is not there. */
static void allow_threads(struct program *p)
{
    add_case(p, SYS_clone3, SECCOMP_RET_ERRNO | ENOSYS);
    add(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 4));
    add_load(p, ARGUMENT(0));
    add(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1));
    add_verdict(p, SECCOMP_RET_ALLOW);
    add_verdict(p, SECCOMP_RET_TRAP);
}

static void write_program(struct program *p, const struct call_filter *f)
{
    add_load(p, OFFSET(arch));
    add(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0));
    add_verdict(p, SECCOMP_RET_KILL_PROCESS);
    add_load(p, OFFSET(nr));
    allow_calls(p, common, COUNT_OF(common));
    allow_calls(p, f->calls, f->n_calls);
    allow_threads(p);
    allow_with(p, SYS_ioctl, 1, ioctls, COUNT_OF(ioctls));
    if (f->n_families > 0)
        allow_with(p, SYS_socket, 0, f->families, f->n_families);
    add_verdict(p, SECCOMP_RET_TRAP);
}

/* --- what is refused --- */

static void (*tell)(const char *call);

size_t call_filter_append(char *line, size_t size, size_t from, const char *text)
{
    while (*text && from < size)
        line[from++] = *text++;
    return from;
}

static void on_refused(int signal, siginfo_t *info, void *context)
{
    const char *name = call_names_find(info->si_syscall);
    unsigned number = (unsigned)info->si_syscall;
    char digits[12] = "";
    size_t at = sizeof digits - 1;

    (void)signal;
    (void)context;
    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    tell(name ? name : digits + at);
    _exit(EXIT_FAILURE);
}

int call_filter_enter(const struct call_filter *f, struct error *err)
{
    struct sigaction action = {.sa_sigaction = on_refused, .sa_flags = SA_SIGINFO};
    struct program program = {.len = 0};
    struct sock_fprog filter = {.filter = program.lines};

    tell = f->refused;
    write_program(&program, f);
    filter.len = program.len;
    if (sigaction(SIGSYS, &action, NULL) < 0 ||
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter) != 0)
        return error_errno(err, errno, "filter system calls");
    return 0;
}

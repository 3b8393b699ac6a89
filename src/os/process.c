// SPDX-License-Identifier: Apache-2.0
#include "os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/own.h"

/* The descriptors that the child sets up for itself move out of the way of 0..3 first, so that no
 * dup2() overwrites one that is still needed. */
enum { CHILD_FD_FLOOR = 10 };

/* What others who hold an output open may still write after the end is waited for so long. */
enum { LINGER_MS = 50 };

static int lift(int fd)
{
    return fd < 0 ? open("/dev/null", O_RDWR | O_CLOEXEC)
                  : fcntl(fd, F_DUPFD_CLOEXEC, CHILD_FD_FLOOR);
}

/* Runs in the child, which shares our memory until exec: only system calls, no locks. Returns an
 * errno. */
static int become(const struct process_spec *spec)
{
    int lifted[4];
    sigset_t none;

    for (int i = 0; i < 3; i++)
        if ((lifted[i] = lift(spec->stdio[i])) < 0)
            return errno;
    lifted[3] = spec->extra_fd < 0 ? -1 : lift(spec->extra_fd);
    for (int i = 0; i < 4; i++)
        if (lifted[i] >= 0 && dup2(lifted[i], i) < 0)
            return errno;
    if (spec->own_session && setsid() < 0)
        return errno;
    if (spec->dies_with_us && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return errno;
    if (spec->cwd && chdir(spec->cwd) < 0)
        return errno;
    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(spec->program ? spec->program : spec->argv[0], (char *const *)spec->argv,
           spec->env ? (char *const *)spec->env : environ);
    return errno;
}

/* vfork() is here on purpose: it does not copy page tables, whatever our size, and the parent
 * stands still until exec, which is how the child's errno gets back through shared memory. */
__attribute__((noinline)) static pid_t spawn(const struct process_spec *spec, volatile int *failure)
{
    pid_t pid = vfork(); /* NOLINT */

    if (pid == 0) {
        *failure = become(spec);
        _exit(127);
    }
    return pid;
}

int process_start(const struct process_spec *spec, struct process *out, struct error *err)
{
    volatile int failure = 0;
    sigset_t all, before;
    pid_t pid;
    int pidfd;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid = spawn(spec, &failure);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pid < 0)
        return error_errno(err, errno, "fork for %s", spec->argv[0]);
    if (failure) {
        waitpid(pid, NULL, 0);
        return error_errno(err, failure, "run %s", spec->argv[0]);
    }
    pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0) {
        int saved = errno;

        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        return error_errno(err, saved, "open pidfd of %s", spec->argv[0]);
    }
    *out = (struct process){.pid = pid, .pidfd = pidfd};
    return 0;
}

static int reap(struct process *p, int *out_status, struct error *err)
{
    siginfo_t info = {0};

    while (waitid((idtype_t)P_PIDFD, (id_t)p->pidfd, &info, WEXITED) < 0)
        if (errno != EINTR)
            return error_errno(err, errno, "wait for process %d", p->pid);
    *out_status = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
    fd_close(&p->pidfd);
    return 0;
}

int process_wait(struct process *p, const struct deadline *by, int *out_status, struct error *err)
{
    if (deadline_wait(by, p->pidfd, POLLIN, err) < 0)
        return error_wrap(err, "wait for process %d", p->pid);
    return reap(p, out_status, err);
}

void process_kill(struct process *p)
{
    struct error ignored;
    int status;

    if (p->pidfd < 0)
        return;
    syscall(SYS_pidfd_send_signal, p->pidfd, SIGKILL, NULL, 0);
    if (reap(p, &status, &ignored) < 0)
        fd_close(&p->pidfd);
}

static int make_pipe(int ends[2], struct error *err)
{
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_errno(err, errno, "pipe");
    return 0;
}

/* Moves what is ready: input into *in, output from *from into out. Closes an end that is done. */
static void feed(int *in, struct process_io *io)
{
    ssize_t n = write(*in, io->input, io->input_len);

    if (n < 0 && errno == EAGAIN)
        return;
    if (n > 0) {
        io->input = (const char *)io->input + n;
        io->input_len -= (size_t)n;
    }
    if (n < 0 || io->input_len == 0)
        fd_close(in);
}

/* Once something did not fit nothing more is kept: what is there has no holes. */
static void drain(int *from, struct buf *out)
{
    char chunk[4096];
    struct error full;
    ssize_t n = read(*from, chunk, sizeof chunk);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        fd_close(from);
        return;
    }
    if (out && out->len < out->max) {
        size_t room = out->max - out->len, take = (size_t)n < room ? (size_t)n : room;

        if (buf_append(out, chunk, take, &full) < 0)
            abort(); /* there is room */
    }
}

/* One wait, and what came of it. Returns poll()'s count; *ended is set when the process has. */
static int turn(struct process *p, int fds[3], struct process_io *io, const struct deadline *by,
                bool *ended)
{
    struct pollfd polled[5] = {{.fd = fds[0], .events = POLLOUT},
                               {.fd = fds[1], .events = POLLIN},
                               {.fd = fds[2], .events = POLLIN},
                               {.fd = *ended ? -1 : p->pidfd, .events = POLLIN},
                               {.fd = by->cancel_fd, .events = POLLIN}};
    int64_t left = deadline_left_ms(by);
    int n = poll(polled, 5, *ended ? LINGER_MS : left > INT_MAX ? -1 : (int)left);

    if (n <= 0)
        return n;
    if (polled[0].revents)
        feed(&fds[0], io);
    if (polled[1].revents)
        drain(&fds[1], io->out);
    if (polled[2].revents)
        drain(&fds[2], io->err_out);
    *ended = *ended || polled[3].revents;
    return n;
}

/* Until the process has ended and its outputs are at their end, or shortly after its end when
 * somebody else holds them open. */
static int converse(struct process *p, int fds[3], struct process_io *io, const struct deadline *by,
                    struct error *err)
{
    bool ended = false;

    while (!ended || fds[1] >= 0 || fds[2] >= 0) {
        int n = turn(p, fds, io, by, &ended);

        if (n < 0 && errno != EINTR)
            return error_errno(err, errno, "poll");
        if (n == 0 && ended)
            return 0;
        if (!ended && deadline_check(by, err) < 0)
            return -1;
    }
    return 0;
}

int process_run(const struct process_spec *spec, struct process_io *io, const struct deadline *by,
                int *out_status, struct error *err)
{
    struct process_spec piped = *spec;
    struct process p = {.pidfd = -1};
    AUTO_CLOSE int in_r = -1, out_w = -1, err_w = -1;
    AUTO_CLOSE int in_w = -1, out_r = -1, err_r = -1;
    int ends[2], fds[3], failed;

    if (make_pipe(ends, err) < 0)
        return -1;
    in_r = ends[0], in_w = ends[1];
    if (make_pipe(ends, err) < 0)
        return -1;
    out_r = ends[0], out_w = ends[1];
    if (make_pipe(ends, err) < 0)
        return -1;
    err_r = ends[0], err_w = ends[1];
    if (fd_set_nonblocking(in_w, err) < 0 || fd_set_nonblocking(out_r, err) < 0 ||
        fd_set_nonblocking(err_r, err) < 0)
        return -1;
    piped.stdio[0] = in_r, piped.stdio[1] = out_w, piped.stdio[2] = err_w;
    if (process_start(&piped, &p, err) < 0)
        return -1;
    fd_close(&in_r), fd_close(&out_w), fd_close(&err_w);
    if (io->input_len == 0)
        fd_close(&in_w);
    fds[0] = fd_take(&in_w), fds[1] = fd_take(&out_r), fds[2] = fd_take(&err_r);
    failed = converse(&p, fds, io, by, err);
    for (int i = 0; i < 3; i++)
        fd_close(&fds[i]);
    if (failed < 0) {
        process_kill(&p);
        return error_wrap(err, "%s", spec->argv[0]);
    }
    return reap(&p, out_status, err);
}

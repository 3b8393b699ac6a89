// SPDX-License-Identifier: Apache-2.0
#include "shim/reaper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/own.h"

enum { STAT_MAX = 4096 };

static struct reaper_child *find(struct reaper *r, pid_t pid)
{
    LIST_EACH(entry, &r->children)
    {
        struct reaper_child *c = LIST_OF(entry, struct reaper_child, link);

        if (c->pid == pid)
            return c;
    }
    return NULL;
}

static void tell(struct reaper_child *c, const struct reaper_exit *exited)
{
    list_remove(&c->link);
    c->has_ended = true;
    c->ended(c, exited->status, exited->finished_ns);
}

static void reap(struct reaper *r)
{
    siginfo_t info = {0};

    while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) == 0 && info.si_pid != 0) {
        struct reaper_exit exited = {.pid = info.si_pid, .finished_ns = clock_now_ns()};
        struct reaper_child *c = find(r, info.si_pid);

        exited.status = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
        if (c)
            tell(c, &exited);
        else if (r->expected)
            r->early[r->n_early++ % REAPER_EARLY_MAX] = exited;
        info.si_pid = 0;
    }
}

static void on_signal(struct poller_source *s, uint32_t events)
{
    struct reaper *r = LIST_OF(s, struct reaper, signals);
    struct signalfd_siginfo info;

    (void)events;
    while (read(s->fd, &info, sizeof info) > 0)
        ; /* one SIGCHLD may stand for many exits */
    reap(r);
}

/* The newest first: the pid may have been used before. */
static const struct reaper_exit *find_early(const struct reaper *r, pid_t pid)
{
    size_t oldest = r->n_early > REAPER_EARLY_MAX ? r->n_early - REAPER_EARLY_MAX : 0;

    for (size_t i = r->n_early; i > oldest; i--)
        if (r->early[(i - 1) % REAPER_EARLY_MAX].pid == pid)
            return &r->early[(i - 1) % REAPER_EARLY_MAX];
    return NULL;
}

static void on_soon(struct poller_timer *t)
{
    struct reaper *r = LIST_OF(t, struct reaper, soon);

    while (!list_is_empty(&r->ended)) {
        struct reaper_child *c = LIST_OF(r->ended.next, struct reaper_child, link);
        const struct reaper_exit *known = find_early(r, c->pid);
        struct reaper_exit exited = known ? *known : (struct reaper_exit){.status = 255};

        c->told_by = NULL;
        tell(c, &exited);
        reaper_unexpect(r);
    }
}

int reaper_init(struct reaper *r, struct poller *p, struct error *err)
{
    AUTO_CLOSE int fd = -1;
    sigset_t mask;

    r->poller = p;
    r->signals = (struct poller_source){.fd = -1, .ready = on_signal};
    r->expected = r->n_early = 0;
    list_init(&r->children);
    list_init(&r->ended);
    poller_timer_init(&r->soon, on_soon);
    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
        return error_errno(err, errno, "become subreaper");
    fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return error_errno(err, errno, "signalfd");
    if (poller_add(p, &r->signals, fd, EPOLLIN, err) < 0)
        return -1;
    fd_take(&fd);
    return 0;
}

void reaper_watch(struct reaper *r, struct reaper_child *c, pid_t pid)
{
    c->pid = pid;
    c->has_ended = false;
    list_add(&r->children, &c->link);
}

void reaper_expect(struct reaper *r)
{
    r->expected++;
}

void reaper_unexpect(struct reaper *r)
{
    if (--r->expected == 0)
        r->n_early = 0;
}

/* A child of ours, dead or alive, that nobody has waited for. */
static bool is_unreaped(pid_t pid)
{
    siginfo_t info;

    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* 0: there is none. */
static pid_t parent_of(pid_t pid)
{
    AUTO_FINI(buf) stat = BUF(STAT_MAX);
    char path[32];
    struct error ignored;
    const char *name_end;
    int parent = 0;

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    if (file_load(AT_FDCWD, path, &stat, &ignored) < 0 || !(name_end = strrchr(stat.data, ')')))
        return 0;
    return sscanf(name_end, ") %*c %d", &parent) == 1 ? parent : 0;
}

/* The runtime may have made it in a process of its own, which was left to us as well and is about
 * to end. */
static bool is_about_to_be_ours(pid_t pid)
{
    pid_t parent = parent_of(pid);

    return parent > 0 && (is_unreaped(parent) || is_unreaped(pid));
}

int reaper_adopt(struct reaper *r, struct reaper_child *c, pid_t pid, struct error *err)
{
    if (is_unreaped(pid) || (!find_early(r, pid) && is_about_to_be_ours(pid))) {
        reaper_watch(r, c, pid);
        return 0;
    }
    if (!find_early(r, pid))
        return error_set(err, ERROR_NOT_FOUND, "process %d is no child of the shim", pid);
    c->pid = pid;
    c->has_ended = true;
    c->told_by = r;
    list_add(&r->ended, &c->link);
    reaper_expect(r); /* keeps the exit remembered until it is told */
    poller_timer_set(r->poller, &r->soon, 0);
    return 0;
}

void reaper_forget(struct reaper_child *c)
{
    list_remove(&c->link);
    if (c->told_by)
        reaper_unexpect(c->told_by);
    c->told_by = NULL;
}

void reaper_move(struct reaper_child *from, struct reaper_child *to)
{
    to->pid = from->pid;
    to->has_ended = from->has_ended;
    to->told_by = from->told_by;
    from->told_by = NULL;
    list_add(&from->link, &to->link);
    list_remove(&from->link);
}

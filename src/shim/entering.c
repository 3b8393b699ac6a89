// SPDX-License-Identifier: Apache-2.0
#include "shim/entering.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/own.h"
#include "shim/entrant.h"

static bool is_protected;

struct entering {
    struct run_context *context;
    int fd; /* our end of the report */
    struct poller_source report;
    struct poller_timer deadline;
    struct reaper_child guide;
    struct reaper_child entrant;
    struct reaper_exit exited; /* the entrant has ended: how; pid 0: not yet */
    bool is_ready;
    bool is_late;
    uint32_t failed_step; /* 0: none */
    int failed_error;
    int64_t timeout_ns;
    struct reaper_child *child;
    entering_ended *ended;
    void *owner;
};

static const char *const step_names[ENTRANT_STEPS] = {
    [ENTRANT_IS_THERE] = "be there",
    [ENTRANT_IS_READY] = "be ready",
    [ENTRANT_HIDDEN] = "hide from tracers",
    [ENTRANT_STREAMS] = "set up standard streams",
    [ENTRANT_CGROUPS] = "join the cgroups",
    [ENTRANT_OOM_SCORE] = "set oom_score_adj",
    [ENTRANT_APPARMOR] = "set the AppArmor profile",
    [ENTRANT_LIMITS] = "set resource limits",
    [ENTRANT_NAMESPACES] = "join the namespaces",
    [ENTRANT_USER_NAMESPACE] = "join the user namespace",
    [ENTRANT_FORK] = "fork inside",
    [ENTRANT_SESSION] = "make a session",
    [ENTRANT_KEYRING] = "join the session keyring",
    [ENTRANT_HOME] = "find the user's home",
    [ENTRANT_PROGRAM] = "find the program",
    [ENTRANT_SECCOMP] = "load the seccomp filter",
    [ENTRANT_GROUPS] = "set groups",
    [ENTRANT_OWNER] = "give away the standard streams",
    [ENTRANT_BOUNDING] = "drop capabilities from the bounding set",
    [ENTRANT_USER] = "become the user",
    [ENTRANT_CAPABILITIES] = "set capabilities",
    [ENTRANT_PRIVILEGES] = "set no_new_privs",
    [ENTRANT_FOLDER] = "enter the working folder",
    [ENTRANT_EXECUTE] = "execute the program",
};

void entering_allow_if_protected(void)
{
    struct statvfs st;

    is_protected = statvfs("/proc/self/exe", &st) == 0 && (st.f_flag & ST_RDONLY);
}

/* ---- on its way ---- */

static void entering_free(struct entering *e)
{
    if (!e)
        return;
    poller_remove(e->context->poller, &e->report);
    fd_close(&e->fd);
    poller_timer_clear(&e->deadline);
    reaper_forget(&e->guide);
    reaper_forget(&e->entrant);
    free(e);
}
DEFINE_AUTO(entering)

/* It may have ended already, though who wants to hear of that hears first that it has begun. */
static void conclude_done(struct entering *e)
{
    struct reaper_exit exited = e->exited;
    struct reaper_child *child = e->child;

    if (exited.pid) {
        child->pid = exited.pid;
        child->has_ended = true;
    } else {
        reaper_move(&e->entrant, child);
    }
    e->ended(e->owner, ENTERING_DONE, NULL);
    entering_free(e);
    if (exited.pid)
        child->ended(child, exited.status, exited.finished_ns);
}

static void conclude(struct entering *e)
{
    struct error why;

    reaper_unexpect(e->context->reaper);
    if (e->is_ready && !e->failed_step && !e->is_late) {
        conclude_done(e);
        return;
    }
    if (e->is_late)
        error_set(&why, ERROR_DEADLINE, "not begun after %" PRId64 " ms",
                  e->timeout_ns / CLOCK_NS_PER_MS);
    else if (e->failed_step)
        error_errno(&why, e->failed_error, "%s", step_names[e->failed_step]);
    else
        error_set(&why, ERROR_ABORTED, "it was killed on its way");
    e->ended(e->owner, e->is_late ? ENTERING_LATE : ENTERING_DECLINED, &why);
    entering_free(e);
}

static bool is_gone(const struct reaper_child *c)
{
    return c->pid == 0 || c->has_ended;
}

/* Who was killed is not forgotten before it has ended. */
static void conclude_if_gone(struct entering *e)
{
    if (e->is_late && is_gone(&e->guide) && is_gone(&e->entrant))
        conclude(e);
}

static void on_guide_ended(struct reaper_child *c, int status, int64_t finished_ns)
{
    (void)status; /* the report tells what came of it */
    (void)finished_ns;
    conclude_if_gone(LIST_OF(c, struct entering, guide));
}

static void on_entrant_ended(struct reaper_child *c, int status, int64_t finished_ns)
{
    struct entering *e = LIST_OF(c, struct entering, entrant);

    e->exited = (struct reaper_exit){c->pid, status, finished_ns};
    conclude_if_gone(e);
}

/* The kernel tells who has sent it, in our numbers. 0: nobody. */
static pid_t sender_of(struct msghdr *message)
{
    for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(message); cmsg; cmsg = CMSG_NXTHDR(message, cmsg)) {
        struct ucred cred;

        if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_CREDENTIALS)
            continue;
        memcpy(&cred, CMSG_DATA(cmsg), sizeof cred);
        return cred.pid;
    }
    return 0;
}

/* What is no word of our children's counts as a failure. */
static void take_report(struct entering *e, const struct entrant_report *r, pid_t sender)
{
    struct error err;

    if (r->step == ENTRANT_IS_THERE && !e->entrant.pid &&
        reaper_adopt(e->context->reaper, &e->entrant, sender, &err) == 0)
        return;
    if (r->step == ENTRANT_IS_READY && e->entrant.pid == sender) {
        e->is_ready = true;
        return;
    }
    e->failed_step = r->step < ENTRANT_STEPS ? r->step : ENTRANT_EXECUTE;
    if (e->failed_step <= ENTRANT_IS_READY)
        e->failed_step = ENTRANT_FORK;
    e->failed_error = r->error ? r->error : ECHILD;
}

/* Reads what was said so far. False: nothing more will be. */
static bool hear(struct entering *e)
{
    for (;;) {
        _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct ucred))];
        struct entrant_report r;
        struct iovec iov = {&r, sizeof r};
        struct msghdr message = {.msg_iov = &iov,
                                 .msg_iovlen = 1,
                                 .msg_control = control,
                                 .msg_controllen = sizeof control};
        ssize_t n = recvmsg(e->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return true;
        if (n != sizeof r)
            return false;
        take_report(e, &r, sender_of(&message));
    }
}

static void on_report(struct poller_source *s, uint32_t events)
{
    struct entering *e = LIST_OF(s, struct entering, report);

    (void)events;
    if (!hear(e) || e->failed_step)
        conclude(e);
}

static void kill_child(const struct reaper_child *c)
{
    if (!is_gone(c))
        kill(c->pid, SIGKILL);
}

/* Who has not said that it is there by now cannot say it any more, and ends. So we know of all who
 * could become the program. */
static void on_deadline(struct poller_timer *t)
{
    struct entering *e = LIST_OF(t, struct entering, deadline);

    poller_remove(e->context->poller, &e->report);
    shutdown(e->fd, SHUT_RD);
    hear(e);
    kill_child(&e->guide);
    kill_child(&e->entrant);
    e->is_late = true;
    conclude_if_gone(e);
}

void entering_kill(struct entering *e)
{
    poller_timer_set(e->context->poller, &e->deadline, 0);
}

/* ---- departure ---- */

static int open_report(int out[2], struct error *err)
{
    int on = 1;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, out) < 0)
        return error_errno(err, errno, "make a pair of sockets");
    if (setsockopt(out[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0)
        return error_errno(err, errno, "ask who sends");
    return 0;
}

/* In version 2 it is born in the cgroup, where nobody needs to be moved and wait for that. */
static pid_t fork_guide(const struct luggage *l)
{
    struct clone_args args = {.exit_signal = SIGCHLD,
                              .flags = l->cgroup < 0 ? 0 : CLONE_INTO_CGROUP,
                              .cgroup = l->cgroup < 0 ? 0 : (uint64_t)l->cgroup};
    pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);

    if (pid == 0)
        entrant_guide(&l->e);
    return pid;
}

static struct entering *entering_new(struct run_context *context, const struct entering_spec *spec)
{
    struct entering *e = xcalloc(1, sizeof *e);

    *e = (struct entering){.context = context,
                           .fd = -1,
                           .report = {.fd = -1, .ready = on_report},
                           .guide = {.ended = on_guide_ended},
                           .entrant = {.ended = on_entrant_ended},
                           .timeout_ns = spec->timeout_ns,
                           .child = spec->child,
                           .ended = spec->ended,
                           .owner = spec->owner};
    list_init(&e->guide.link);
    list_init(&e->entrant.link);
    poller_timer_init(&e->deadline, on_deadline);
    return e;
}

static int depart(struct luggage *l, struct entering *e, struct error *err)
{
    struct run_context *context = e->context;
    int ends[2] = {-1, -1};
    AUTO_CLOSE int ours = -1;
    int failed = open_report(ends, err);
    pid_t guide;

    ours = ends[0];
    l->e.report = ends[1];
    if (failed < 0 || poller_add(context->poller, &e->report, ours, EPOLLIN, err) < 0)
        return -1;
    e->fd = fd_take(&ours);
    guide = fork_guide(l);
    if (guide < 0)
        return error_errno(err, errno, "fork into the container");
    reaper_watch(context->reaper, &e->guide, guide);
    reaper_expect(context->reaper);
    poller_timer_set(context->poller, &e->deadline, e->timeout_ns / CLOCK_NS_PER_MS);
    return 0;
}

struct entering *entering_start(struct run_context *context, const struct entering_spec *spec,
                                struct error *err)
{
    AUTO_FINI(luggage) l = LUGGAGE_NONE;
    AUTO(entering) *e = NULL;

    if (!is_protected) {
        error_set(err, ERROR_UNIMPLEMENTED, "the shim's file could be written to");
        return NULL;
    }
    if (luggage_pack(&l, &spec->luggage, err) < 0)
        return NULL;
    e = entering_new(context, spec);
    return depart(&l, e, err) < 0 ? NULL : TAKE(e);
}

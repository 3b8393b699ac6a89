// SPDX-License-Identifier: Apache-2.0
#include "shim/exec.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/own.h"
#include "shim.pb-c.h"
#include "shim/shim.h"
#include "task.pb-c.h"

enum { DRAIN_MS = 2000, START_FAILED_STATUS = 255, PROCESS_MAX = 1024 * 1024 };

struct starting {
    struct exec *exec;
    struct call *call; /* NULL: who tends it hears of a failure */
    int64_t by_ns;     /* monotonic */
};

static char *file_name(const struct exec *x, const char *suffix)
{
    return xasprintf("%s/exec-%s.%s", x->task->bundle, x->proc.id, suffix);
}

static void answer_tender(struct exec *x, struct call *call)
{
    Berth__Shim__V1__TendExecResponse response = BERTH__SHIM__V1__TEND_EXEC_RESPONSE__INIT;

    response.exit_status = (uint32_t)x->proc.status;
    response.direct = x->is_direct;
    call_reply(call, &response.base);
}

/* Stopped: nothing of it is left but how it ended, and not even that if somebody tended it. */
static void finish(struct exec *x)
{
    struct task *t = x->task;

    poller_timer_clear(&x->drain);
    streams_close(&x->proc.io);
    proc_publish(&x->proc);
    if (!list_is_empty(&x->tender)) {
        answer_tender(x, LIST_OF(x->tender.next, struct call, link));
        x->is_orphan = true;
    }
    if (x->is_orphan)
        exec_remove(x);
    task_end_advance(t);
}

static void on_ended(struct reaper_child *c, int status, int64_t finished_ns)
{
    struct exec *x = LIST_OF(c, struct exec, proc.child);

    proc_set_ended(&x->proc, status, finished_ns);
    if (streams_is_drained(&x->proc.io))
        finish(x);
    else
        poller_timer_set(&x->task->shim->poller, &x->drain, DRAIN_MS);
}

static void on_stdio_ended(struct streams *s)
{
    struct exec *x = LIST_OF(s, struct exec, proc.io);

    if (x->proc.state == PROC_ENDED)
        finish(x);
}

/* A client that is slow, rather than a stranger who keeps the terminal open, gets all of it. */
static void on_drain_timeout(struct poller_timer *timer)
{
    struct exec *x = LIST_OF(timer, struct exec, drain);

    if (streams_is_behind(&x->proc.io))
        poller_timer_set(&x->task->shim->poller, &x->drain, DRAIN_MS);
    else
        finish(x);
}

static int check(const struct task *t, const char *id, struct error *err)
{
    if (proc_check_id(id, err) < 0)
        return -1;
    if (exec_find(t, id))
        return error_set(err, ERROR_EXISTS, "exec %s is here already", id);
    if (t->shim->pod.n_execs >= POD_EXECS_MAX)
        return error_set(err, ERROR_EXHAUSTED, "more than %d execs in a pod", POD_EXECS_MAX);
    if (t->init.state != PROC_RUNNING)
        return error_set(err, ERROR_PRECONDITION, "the container is %s, not running",
                         proc_state_name(t->init.state));
    return 0;
}

static struct exec *exec_new(struct task *t, const char *id)
{
    struct exec *x = xcalloc(1, sizeof *x);

    x->task = t;
    proc_init(&x->proc, id, &t->shim->poller);
    x->proc.child.ended = on_ended;
    x->proc.io.ended = on_stdio_ended;
    buf_init(&x->process, PROCESS_MAX);
    buf_init(&x->entry, PROCESS_MAX);
    poller_timer_init(&x->drain, on_drain_timeout);
    list_init(&x->tender);
    list_add(&t->execs, &x->link);
    t->shim->pod.n_execs++;
    return x;
}

static void fail_tender(struct call *call)
{
    struct error err;

    error_set(&err, ERROR_NOT_FOUND, "the exec was deleted");
    call_fail(call, &err);
}

static void forget_process(struct exec *x)
{
    buf_fini(&x->process);
    buf_fini(&x->entry);
}

void exec_remove(struct exec *x)
{
    forget_process(x);
    list_remove(&x->link);
    x->task->shim->pod.n_execs--;
    while (!list_is_empty(&x->tender))
        fail_tender(LIST_OF(x->tender.next, struct call, link));
    poller_timer_clear(&x->drain);
    proc_fini(&x->proc);
    free(x);
}

bool exec_may_be_removed(const struct exec *x)
{
    return x->proc.state == PROC_NEW || x->proc.state == PROC_STOPPED;
}

struct exec *exec_find(const struct task *t, const char *id)
{
    LIST_EACH(entry, &t->execs)
    {
        struct exec *x = LIST_OF(entry, struct exec, link);

        if (strcmp(x->proc.id, id) == 0)
            return x;
    }
    return NULL;
}

int exec_create(struct task *t, const char *id, const struct streams_spec *stdio,
                const struct exec_process *process, struct error *err)
{
    struct streams_spec owned = *stdio;
    struct exec *x;

    if (process->json_len == 0)
        return error_set(err, ERROR_INVALID, "the process is missing");
    if (check(t, id, err) < 0)
        return -1;
    x = exec_new(t, id);
    owned.uid = t->io_uid;
    owned.gid = t->io_gid;
    if (buf_append(&x->process, process->json, process->json_len, err) < 0 ||
        buf_append(&x->entry, process->entry, process->entry_len, err) < 0 ||
        proc_open_stdio(&x->proc, &owned, err) < 0) {
        exec_remove(x);
        return -1;
    }
    return 0;
}

static void answer_start(struct exec *x, struct call *call)
{
    Containerd__Task__V3__StartResponse response = CONTAINERD__TASK__V3__START_RESPONSE__INIT;

    if (!call)
        return;
    response.pid = (uint32_t)x->proc.child.pid;
    call_reply(call, &response.base);
}

static void fail_start(struct exec *x, struct call *call, const struct error *failure)
{
    if (call) {
        call_fail(call, failure);
        return;
    }
    if (!list_is_empty(&x->tender))
        call_fail(LIST_OF(x->tender.next, struct call, link), failure);
    x->is_orphan = true;
}

/* What comes of the start is known. failure NULL: it runs. */
static void conclude_start(struct starting *s, const struct error *failure)
{
    struct exec *x = s->exec;
    struct task *t = x->task;
    struct error err;

    t->n_runs--;
    forget_process(x);
    if (failure) {
        fail_start(x, s->call, failure);
        proc_set_ended(&x->proc, START_FAILED_STATUS, clock_now_ns());
        finish(x); /* which lets the task go on ending */
        return;
    }
    x->proc.state = PROC_RUNNING;
    /* A process without its terminal is of no use; its end is told like any other. */
    if (streams_started(&x->proc.io, &err) < 0) {
        fail_start(x, s->call, &err);
        exec_end(x);
        return;
    }
    answer_start(x, s->call);
    if (x->is_to_end)
        exec_end(x);
    task_end_advance(t);
}

/* ---- by the OCI runtime ---- */

static void on_run_ended(void *owner, const struct error *failure)
{
    AUTO_FREE struct starting *s = owner;
    struct exec *x = s->exec;
    AUTO_FREE char *process = file_name(x, "json"), *pid = file_name(x, "pid");
    struct error err;

    unlink(process);
    if (!failure && proc_adopt(&x->proc, &x->task->shim->reaper, pid, &err) < 0)
        failure = &err;
    conclude_start(s, failure);
}

/* Never 0: then there is at least the time to find out that it is over. */
static int64_t left_ns(const struct starting *s)
{
    int64_t left = s->by_ns - clock_monotonic_ns();

    return left > 1 ? left : 1;
}

static int run_exec(struct exec *x, struct starting *owner, struct error *err)
{
    AUTO_FREE char *process = file_name(x, "json"), *pid = file_name(x, "pid");
    AUTO_FINI(strv) verb = {0};
    const struct streams *io = &x->proc.io;
    struct run_spec run = {.verb = &verb, .timeout_ns = left_ns(owner)};

    if (file_store(AT_FDCWD, process, x->process.data, x->process.len, 0600, err) < 0)
        return -1;
    for (int i = 0; i < 3; i++)
        run.stdio[i] = io->has_terminal ? -1 : io->child[i];
    if (io->has_terminal)
        run.stdio[2] = RUN_REPORT;
    strv_add(&verb, "exec");
    strv_add(&verb, "--process");
    strv_add(&verb, process);
    strv_add(&verb, "--pid-file");
    strv_add(&verb, pid);
    strv_add(&verb, "--detach");
    if (io->has_terminal) {
        strv_add(&verb, "--console-socket");
        strv_add(&verb, io->console.path);
    }
    strv_add(&verb, x->task->init.id);
    if (task_run(x->task, &run, on_run_ended, owner, err) == 0)
        return 0;
    unlink(process);
    return -1;
}

/* ---- by ourselves ---- */

static void on_entered(void *owner, enum entering_outcome outcome, const struct error *why)
{
    struct starting *s = owner;
    struct exec *x = s->exec;
    struct error err;

    x->entering = NULL;
    x->is_direct = outcome == ENTERING_DONE;
    if (why)
        log_debug("exec %s: %s", x->proc.id, why->text);
    if (outcome == ENTERING_DECLINED) {
        if (run_exec(x, s, &err) == 0)
            return;
        why = &err;
    }
    conclude_start(s, why);
    free(s);
}

/* False: it is to be done by the OCI runtime. */
static bool enter(struct exec *x, struct starting *owner)
{
    const struct task *t = x->task;
    const struct run_context *runs = &t->shim->runs;
    AUTO_FREE char *seccomp = xasprintf("%s/%s/seccomp.bpf", t->runtime_root, t->init.id);
    struct entering_spec spec = {.luggage = {.entry = x->entry.data,
                                             .entry_len = x->entry.len,
                                             .init = t->init.child.pid,
                                             .cgroup = &x->task->cgroup,
                                             .cgroup_path = t->cgroup_path,
                                             .seccomp = seccomp,
                                             .stdio = x->proc.io.child,
                                             .files = runs->files,
                                             .oom_score_adj = runs->oom_score_adj},
                                 .child = &x->proc.child,
                                 .ended = on_entered,
                                 .owner = owner,
                                 .timeout_ns = left_ns(owner)};
    struct error why;

    if (x->entry.len == 0 || x->proc.io.has_terminal)
        return false;
    x->entering = entering_start(&x->task->shim->runs, &spec, &why);
    if (!x->entering)
        log_debug("exec %s: %s", x->proc.id, why.text);
    return x->entering != NULL;
}

/* ---- either way ---- */

static int begin(struct exec *x, struct call *call, int64_t timeout_ns, struct error *err)
{
    AUTO_FREE struct starting *s = xcalloc(1, sizeof *s);

    *s = (struct starting){x, call, clock_monotonic_ns() + timeout_ns};
    if (x->proc.state != PROC_NEW)
        return error_set(err, ERROR_PRECONDITION, "cannot start a %s process",
                         proc_state_name(x->proc.state));
    if (x->task->init.state != PROC_RUNNING)
        return error_set(err, ERROR_PRECONDITION, "the container is %s, not running",
                         proc_state_name(x->task->init.state));
    if (!enter(x, s) && run_exec(x, s, err) < 0)
        return -1;
    TAKE(s);
    x->proc.state = PROC_STARTING;
    x->task->n_runs++;
    return 0;
}

int exec_start(struct exec *x, struct call *call, struct error *err)
{
    return begin(x, call, call->timeout_ns, err);
}

static void on_tender_lost(struct call *call)
{
    struct exec *x = call->owner;

    call_free(call);
    x->is_orphan = true;
    if (exec_may_be_removed(x))
        exec_remove(x);
    else
        exec_end(x);
}

static void set_tender(struct exec *x, struct call *call)
{
    call->owner = x;
    call->lost = on_tender_lost;
    list_add(&x->tender, &call->link);
}

int exec_run(struct exec *x, struct call *call, struct error *err)
{
    if (begin(x, NULL, call->timeout_ns, err) < 0)
        return -1;
    set_tender(x, call);
    return 0;
}

int exec_tend(struct exec *x, struct call *call, struct error *err)
{
    if (!list_is_empty(&x->tender) || x->is_orphan)
        return error_set(err, ERROR_EXISTS, "somebody tends the exec already");
    if (x->proc.state == PROC_STOPPED) {
        answer_tender(x, call);
        exec_remove(x);
        return 0;
    }
    set_tender(x, call);
    return 0;
}

void exec_end(struct exec *x)
{
    struct error ignored;

    x->is_to_end = true;
    if (x->entering)
        entering_kill(x->entering);
    if (x->proc.state == PROC_RUNNING && proc_signal(&x->proc, SIGKILL, &ignored) < 0)
        return; /* it has just ended */
}

// SPDX-License-Identifier: Apache-2.0
#include "shim/task.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"
#include "shim/exec.h"
#include "shim/shim.h"
#include "task.pb-c.h"

static void on_init_ended(struct reaper_child *c, int status, int64_t finished_ns)
{
    struct task *t = LIST_OF(c, struct task, init.child);

    proc_set_ended(&t->init, status, finished_ns);
    task_end_advance(t);
}

static void on_stdio_ended(struct streams *s)
{
    task_end_advance(LIST_OF(s, struct task, init.io));
}

static void on_tick(struct poller_timer *timer)
{
    task_end_advance(LIST_OF(timer, struct task, tick));
}

struct task *task_new(struct shim *s, const struct task_spec *spec)
{
    struct task *t = xcalloc(1, sizeof *t);

    t->shim = s;
    proc_init(&t->init, spec->id, &s->poller);
    t->init.state = PROC_STARTING;
    t->init.child.ended = on_init_ended;
    t->init.io.ended = on_stdio_ended;
    t->bundle = xstrdup(spec->bundle);
    t->runtime = xstrdup(spec->runtime);
    t->runtime_root = xstrdup(spec->runtime_root);
    t->cgroup_path = xstrdup(spec->cgroup);
    t->has_systemd_cgroup = spec->has_systemd_cgroup;
    t->has_shared_pid = spec->has_shared_pid;
    t->io_uid = spec->stdio.uid;
    t->io_gid = spec->stdio.gid;
    t->cgroup = CONTAINER_CGROUP_NONE;
    list_init(&t->execs);
    list_init(&t->deleters);
    poller_timer_init(&t->tick, on_tick);
    list_add(&s->pod.tasks, &t->link);
    s->pod.n_tasks++;
    return t;
}

void task_remove(struct task *t)
{
    struct pod *pod = &t->shim->pod;

    while (!list_is_empty(&t->execs))
        exec_remove(LIST_OF(t->execs.next, struct exec, link));
    list_remove(&t->link);
    pod->n_tasks--;
    poller_timer_clear(&t->tick);
    container_cgroup_close(&t->cgroup);
    proc_fini(&t->init);
    free(t->bundle);
    free(t->runtime);
    free(t->runtime_root);
    free(t->cgroup_path);
    free(t);
    pod_check_stopped(pod);
}

int task_run(struct task *t, struct run_spec *spec, run_ended *ended, void *owner,
             struct error *err)
{
    static unsigned count;
    AUTO_FREE char *log = xasprintf("%s/run-%u.log", t->bundle, ++count);

    spec->group = t;
    spec->runtime = t->runtime;
    spec->root = t->runtime_root;
    spec->has_systemd_cgroup = t->has_systemd_cgroup;
    spec->log = log;
    return run_start(&t->shim->runs, spec, ended, owner, err);
}

/* ---- verbs that are one run of the OCI runtime ---- */

struct operation {
    struct task *task;
    struct call *call;
    /* Answers the call; failure NULL: the runtime succeeded. */
    void (*done)(struct task *t, struct call *call, const struct error *failure);
};

static void on_operation_ended(void *owner, const struct error *failure)
{
    AUTO_FREE struct operation *op = owner;
    struct task *t = op->task;

    t->n_runs--;
    op->done(t, op->call, failure);
    task_end_advance(t);
}

/* Runs "<verb> <id>", or "<verb> <option> - <id>" with input. */
static int operate(struct task *t, const char *verb, const char *option, int input,
                   const struct operation *op, struct error *err)
{
    AUTO_FREE struct operation *owner = xmemdup(op, sizeof *op);
    AUTO_FINI(strv) words = {0};
    struct run_spec spec = {
        .verb = &words, .stdio = {input, -1, RUN_REPORT}, .timeout_ns = op->call->timeout_ns};

    strv_add(&words, verb);
    if (option) {
        strv_add(&words, option);
        strv_add(&words, "-");
    }
    strv_add(&words, t->init.id);
    if (task_run(t, &spec, on_operation_ended, owner, err) < 0)
        return -1;
    TAKE(owner);
    t->n_runs++;
    return 0;
}

static void answer_empty(struct call *call, const struct error *failure)
{
    if (failure)
        call_fail(call, failure);
    else
        call_reply(call, NULL);
}

static int require_state(const struct task *t, enum proc_state state, const char *verb,
                         struct error *err)
{
    if (t->init.state != state)
        return error_set(err, ERROR_PRECONDITION, "cannot %s a %s container", verb,
                         proc_state_name(t->init.state));
    return 0;
}

static void on_started(struct task *t, struct call *call, const struct error *failure)
{
    Containerd__Task__V3__StartResponse response = CONTAINERD__TASK__V3__START_RESPONSE__INIT;

    t->is_starting = false;
    if (failure) {
        call_fail(call, failure);
        return;
    }
    t->was_started = true;
    if (t->init.state == PROC_CREATED)
        t->init.state = PROC_RUNNING;
    response.pid = (uint32_t)t->init.child.pid;
    call_reply(call, &response.base);
}

int task_start(struct task *t, struct call *call, struct error *err)
{
    struct operation op = {t, call, on_started};

    if (require_state(t, PROC_CREATED, "start", err) < 0)
        return -1;
    if (t->is_starting)
        return error_set(err, ERROR_PRECONDITION, "the container is being started already");
    if (operate(t, "start", NULL, -1, &op, err) < 0)
        return -1;
    t->is_starting = true;
    return 0;
}

static void on_paused(struct task *t, struct call *call, const struct error *failure)
{
    if (!failure && t->init.state == PROC_RUNNING)
        t->init.state = PROC_PAUSED;
    answer_empty(call, failure);
}

int task_pause(struct task *t, struct call *call, struct error *err)
{
    struct operation op = {t, call, on_paused};

    if (require_state(t, PROC_RUNNING, "pause", err) < 0)
        return -1;
    return operate(t, "pause", NULL, -1, &op, err);
}

static void on_resumed(struct task *t, struct call *call, const struct error *failure)
{
    if (!failure && t->init.state == PROC_PAUSED)
        t->init.state = PROC_RUNNING;
    answer_empty(call, failure);
}

int task_resume(struct task *t, struct call *call, struct error *err)
{
    struct operation op = {t, call, on_resumed};

    if (require_state(t, PROC_PAUSED, "resume", err) < 0)
        return -1;
    return operate(t, "resume", NULL, -1, &op, err);
}

static void on_updated(struct task *t, struct call *call, const struct error *failure)
{
    (void)t;
    answer_empty(call, failure);
}

int task_update(struct task *t, const void *json, size_t len, struct call *call, struct error *err)
{
    struct operation op = {t, call, on_updated};
    AUTO_CLOSE int input = memfd_create("resources", MFD_CLOEXEC);

    if (!proc_is_alive(&t->init))
        return require_state(t, PROC_RUNNING, "update", err);
    if (input < 0 || fd_write_all(input, json, len, err) < 0 || lseek(input, 0, SEEK_SET) < 0)
        return error_set(err, ERROR_INTERNAL, "keep resources for the OCI runtime");
    return operate(t, "update", "--resources", input, &op, err);
}

/* ---- signals ---- */

int task_kill(struct task *t, int signal, bool all, struct error *err)
{
    if (proc_signal(&t->init, 0, err) < 0)
        return -1;
    /* A frozen process dies only when it is thawed, which the cgroup knows. */
    t->was_killed |= signal == SIGKILL;
    all |= signal == SIGKILL && (t->has_shared_pid || t->init.state == PROC_PAUSED);
    if (all && container_cgroup_kill(&t->cgroup, signal) > 0 && signal != SIGKILL)
        return 0; /* the first process is among them */
    return proc_signal(&t->init, signal, err);
}

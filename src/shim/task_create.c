// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "base/own.h"
#include "os/stray.h"
#include "shim/shim.h"
#include "shim/task.h"
#include "task.pb-c.h"

enum { CLEAN_UP_TIMEOUT_S = 10 };

struct creation {
    struct task *task;
    struct call *call;
    bool is_start;        /* the process runs by now */
    struct error failure; /* why a creation is being cleaned up */
};

static char *pid_file(const struct task *t)
{
    return xasprintf("%s/init.pid", t->bundle);
}

static void refuse(struct creation *c, const struct error *failure)
{
    task_remove(c->task);
    call_fail(c->call, failure);
    free(c);
}

static void on_cleaned_up(void *owner, const struct error *failure)
{
    struct creation *c = owner;

    if (failure)
        log_warn("container %s: after its creation failed: %s", c->task->init.id, failure->text);
    refuse(c, &c->failure);
}

/* A runtime that was killed in the middle may have left a process and cgroups. */
static void clean_up(struct creation *c, const struct error *failure)
{
    AUTO_FINI(strv) verb = {0};
    struct run_spec spec = {.verb = &verb,
                            .stdio = {-1, -1, RUN_REPORT},
                            .timeout_ns = CLEAN_UP_TIMEOUT_S * INT64_C(1000000000)};
    struct error err;

    c->failure = *failure;
    if (!stray_end(c->task->runtime_root, c->task->init.id))
        log_warn("container %s: a helper of the OCI runtime does not end", c->task->init.id);
    reaper_forget(&c->task->init.child);
    c->task->init.state = PROC_STARTING;
    strv_add(&verb, "delete");
    strv_add(&verb, "--force");
    strv_add(&verb, c->task->init.id);
    if (task_run(c->task, &spec, on_cleaned_up, c, &err) < 0)
        refuse(c, &c->failure);
}

static int take_over(struct task *t, bool is_start, struct error *err)
{
    AUTO_FREE char *file = pid_file(t);

    if (proc_adopt(&t->init, &t->shim->reaper, file, err) < 0)
        return -1;
    t->init.state = is_start ? PROC_RUNNING : PROC_CREATED;
    container_cgroup_open(&t->cgroup, t->cgroup_path,
                          t->init.child.has_ended ? 0 : t->init.child.pid, &t->shim->poller);
    return streams_started(&t->init.io, err);
}

/* A runtime that refuses takes back what it has made. One that came to its end otherwise, by the
 * OOM killer for one, has not. */
static bool is_left(const struct task *t)
{
    AUTO_FREE char *kept = xasprintf("%s/%s", t->runtime_root, t->init.id);

    return file_exists(kept);
}

static void on_created(void *owner, const struct error *failure)
{
    Containerd__Task__V3__CreateTaskResponse response =
        CONTAINERD__TASK__V3__CREATE_TASK_RESPONSE__INIT;
    AUTO_FREE struct creation *c = owner;
    struct task *t = c->task;
    struct error err;

    if (!failure && take_over(t, c->is_start, &err) < 0)
        failure = &err;
    if (failure) {
        if (failure->code == ERROR_DEADLINE || failure == &err || t->is_to_end || is_left(t))
            clean_up(TAKE(c), failure);
        else
            refuse(TAKE(c), failure);
        return;
    }
    t->was_started = c->is_start;
    response.pid = (uint32_t)t->init.child.pid;
    call_reply(c->call, &response.base);
    if (t->is_to_end)
        task_end(t);
}

static int run_create(struct task *t, const struct task_spec *spec, struct creation *owner,
                      struct error *err)
{
    AUTO_FREE char *file = pid_file(t), *target = xasprintf("%s/rootfs", t->bundle);
    AUTO_FINI(strv) verb = {0};
    const struct streams *io = &t->init.io;
    struct run_spec run = {.verb = &verb,
                           .mounts = spec->mounts,
                           .n_mounts = spec->n_mounts,
                           .target = target,
                           .timeout_ns = owner->call->timeout_ns};

    if (spec->n_mounts > 0 && mkdir(target, 0755) < 0 && errno != EEXIST)
        return error_errno(err, errno, "create folder %s", target);
    for (int i = 0; i < 3; i++)
        run.stdio[i] = io->has_terminal ? -1 : io->child[i];
    if (io->has_terminal)
        run.stdio[2] = RUN_REPORT;
    strv_add(&verb, spec->is_to_start ? "run" : "create");
    if (spec->is_to_start)
        strv_add(&verb, "--detach");
    strv_add(&verb, "--bundle");
    strv_add(&verb, t->bundle);
    strv_add(&verb, "--pid-file");
    strv_add(&verb, file);
    if (io->has_terminal) {
        strv_add(&verb, "--console-socket");
        strv_add(&verb, io->console.path);
    }
    strv_add(&verb, t->init.id);
    return task_run(t, &run, on_created, owner, err);
}

static int check(const struct pod *pod, const struct task_spec *spec, struct error *err)
{
    if (proc_check_id(spec->id, err) < 0)
        return -1;
    if (spec->bundle[0] != '/' || spec->runtime[0] != '/' || spec->runtime_root[0] != '/')
        return error_set(err, ERROR_INVALID,
                         "bundle, runtime and runtime root must be absolute paths");
    if (pod->state == POD_STOPPING || pod->state == POD_STOPPED)
        return error_set(err, ERROR_PRECONDITION, "the pod is stopped");
    if (pod_find_task(pod, spec->id))
        return error_set(err, ERROR_EXISTS, "container %s is here already", spec->id);
    if (pod->n_tasks >= POD_TASKS_MAX)
        return error_set(err, ERROR_EXHAUSTED, "more than %d containers in a pod", POD_TASKS_MAX);
    return 0;
}

int task_create(struct shim *s, const struct task_spec *spec, struct call *call, struct error *err)
{
    struct creation *c;
    struct task *t;

    if (check(&s->pod, spec, err) < 0)
        return -1;
    t = task_new(s, spec);
    c = xcalloc(1, sizeof *c);
    c->task = t;
    c->call = call;
    c->is_start = spec->is_to_start;
    if (t->has_systemd_cgroup)
        container_cgroup_expect(&t->cgroup, t->cgroup_path, &s->pod.ooms);
    if (proc_open_stdio(&t->init, &spec->stdio, err) < 0 || run_create(t, spec, c, err) < 0) {
        task_remove(t);
        free(c);
        return -1;
    }
    return 0;
}

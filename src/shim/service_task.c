// SPDX-License-Identifier: Apache-2.0
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/own.h"
#include "shim.pb-c.h"
#include "shim/exec.h"
#include "shim/service.h"
#include "shim/task.h"
#include "task.pb-c.h"

#define OPTIONS_TYPE "berth.shim.v1.ContainerOptions"

enum { MOUNTS_MAX = 4097, PIDS_MAX = 4096, SIGNAL_MAX = 64 };

/* A container's first process, or the process of an exec when exec_id is not empty. */
static struct proc *find_proc(const struct shim *s, const char *id, const char *exec_id,
                              struct error *err)
{
    if (*exec_id) {
        struct exec *x = service_find_exec(s, id, exec_id, err);

        return x ? &x->proc : NULL;
    }
    struct task *t = service_find_task(s, id, err);
    return t ? &t->init : NULL;
}

static Google__Protobuf__Timestamp finished_at(const struct proc *p)
{
    Google__Protobuf__Timestamp at = GOOGLE__PROTOBUF__TIMESTAMP__INIT;

    at.seconds = p->finished_ns / CLOCK_NS_PER_S;
    at.nanos = (int32_t)(p->finished_ns % CLOCK_NS_PER_S);
    return at;
}

/* What was never started stays created until it is gone. */
static Containerd__V1__Types__Status status_of(const struct task *t, const struct proc *p)
{
    if (p == &t->init && p->state == PROC_ENDED && !t->was_started)
        return CONTAINERD__V1__TYPES__STATUS__CREATED;
    switch (p->state) {
    case PROC_NEW:
    case PROC_STARTING:
    case PROC_CREATED:
        return CONTAINERD__V1__TYPES__STATUS__CREATED;
    case PROC_PAUSED:
        return CONTAINERD__V1__TYPES__STATUS__PAUSED;
    case PROC_STOPPED:
        return CONTAINERD__V1__TYPES__STATUS__STOPPED;
    default: /* one that has ended counts as running until its end is told */
        return CONTAINERD__V1__TYPES__STATUS__RUNNING;
    }
}

static int serve_state(struct shim *s, struct call *call, const void *request, struct error *err)
{
    const Containerd__Task__V3__StateRequest *r = request;
    Containerd__Task__V3__StateResponse response = CONTAINERD__TASK__V3__STATE_RESPONSE__INIT;
    const struct task *t = service_find_task(s, r->id, err);
    const struct proc *p = t ? find_proc(s, r->id, r->exec_id, err) : NULL;
    Google__Protobuf__Timestamp at;

    if (!p)
        return -1;
    at = finished_at(p);
    response.id = r->id;
    response.exec_id = r->exec_id;
    response.bundle = t->bundle;
    response.pid = (uint32_t)p->child.pid;
    response.status = status_of(t, p);
    response.stdin = p->in;
    response.stdout = p->out;
    response.stderr = p->err;
    response.terminal = p->io.has_terminal;
    if (p->state == PROC_STOPPED) {
        response.exit_status = (uint32_t)p->status;
        response.exited_at = &at;
    }
    call_reply(call, &response.base);
    return 0;
}

static int create_with(struct shim *s, struct call *call,
                       const Containerd__Task__V3__CreateTaskRequest *r,
                       const Berth__Shim__V1__ContainerOptions *options, struct error *err)
{
    AUTO_FREE struct rootfs_mount *mounts = xcalloc(r->n_rootfs, sizeof *mounts);
    struct task_spec spec = {.id = r->id,
                             .bundle = r->bundle,
                             .runtime = options->runtime,
                             .runtime_root = options->runtime_root,
                             .has_systemd_cgroup = options->systemd_cgroup,
                             .cgroup = options->cgroup,
                             .has_shared_pid = options->shared_pid,
                             .is_to_start = options->start,
                             .stdio = {.in = r->stdin,
                                       .out = r->stdout,
                                       .err = r->stderr,
                                       .has_terminal = r->terminal,
                                       .line_max = options->log_line_max,
                                       .uid = options->io_uid,
                                       .gid = options->io_gid,
                                       .fds = call->fds,
                                       .n_fds = call->n_fds},
                             .mounts = mounts,
                             .n_mounts = r->n_rootfs};

    for (size_t i = 0; i < r->n_rootfs; i++)
        mounts[i] =
            (struct rootfs_mount){.type = r->rootfs[i]->type,
                                  .source = r->rootfs[i]->source,
                                  .options = r->rootfs[i]->options,
                                  .n_options = r->rootfs[i]->n_options,
                                  .userns = s->pod.has_userns ? NAMESPACES_USER : NULL,
                                  .target = *r->rootfs[i]->target ? r->rootfs[i]->target : NULL};
    return task_create(s, &spec, call, err);
}

static int take_copy(struct shim *s, struct call *call,
                     const Berth__Shim__V1__ContainerOptions *options, struct error *err)
{
    const Berth__Shim__V1__SealedCopy *copy = options->copy;
    struct streams_spec passed = {.fds = call->fds, .n_fds = call->n_fds};
    int fd;

    if (!copy)
        return 0;
    fd = streams_take_passed(&passed, copy->fd, err);
    if (fd < 0)
        return -1;
    run_set_copy(&s->runs, options->runtime, fd,
                 &(struct identity){copy->device, copy->inode, copy->changed_ns});
    return 0;
}

static int serve_create(struct shim *s, struct call *call, const void *request, struct error *err)
{
    const Containerd__Task__V3__CreateTaskRequest *r = request;
    Berth__Shim__V1__ContainerOptions *options;
    int failed;

    /* It came while the shim hung. Whoever sent it takes it for failed, or died. */
    if (!call_has_client(call))
        return error_set(err, ERROR_CANCELLED, "the client has left");
    if (*r->checkpoint)
        return error_set(err, ERROR_UNIMPLEMENTED, "restore from a checkpoint");
    if (r->n_rootfs > MOUNTS_MAX)
        return error_set(err, ERROR_EXHAUSTED, "more than %d mounts", MOUNTS_MAX);
    if (!r->options || !strstr(r->options->type_url, OPTIONS_TYPE))
        return error_set(err, ERROR_INVALID, "options must be a " OPTIONS_TYPE);
    options = berth__shim__v1__container_options__unpack(NULL, r->options->value.len,
                                                         r->options->value.data);
    if (!options)
        return error_set(err, ERROR_INVALID, "options are damaged");
    failed = take_copy(s, call, options, err);
    if (failed == 0)
        failed = create_with(s, call, r, options, err);
    berth__shim__v1__container_options__free_unpacked(options, NULL);
    return failed;
}

static int serve_start(struct shim *s, struct call *call, const void *request, struct error *err)
{
    const Containerd__Task__V3__StartRequest *r = request;

    if (*r->exec_id) {
        struct exec *x = service_find_exec(s, r->id, r->exec_id, err);

        return x ? exec_start(x, call, err) : -1;
    }
    struct task *t = service_find_task(s, r->id, err);
    return t ? task_start(t, call, err) : -1;
}

static int delete_exec(struct exec *x, struct call *call, struct error *err)
{
    Containerd__Task__V3__DeleteResponse response = CONTAINERD__TASK__V3__DELETE_RESPONSE__INIT;
    Google__Protobuf__Timestamp at = finished_at(&x->proc);

    if (!exec_may_be_removed(x))
        return error_set(err, ERROR_PRECONDITION, "cannot delete a %s process",
                         proc_state_name(x->proc.state));
    response.pid = (uint32_t)x->proc.child.pid;
    response.exit_status = (uint32_t)x->proc.status;
    response.exited_at = &at;
    exec_remove(x);
    call_reply(call, &response.base);
    return 0;
}

static int serve_delete(struct shim *s, struct call *call, const void *request, struct error *err)
{
    const Containerd__Task__V3__DeleteRequest *r = request;

    if (*r->exec_id) {
        struct exec *x = service_find_exec(s, r->id, r->exec_id, err);

        return x ? delete_exec(x, call, err) : -1;
    }
    struct task *t = service_find_task(s, r->id, err);
    return t ? task_end_and_delete(t, call, err) : -1;
}

struct pids {
    Containerd__V1__Types__ProcessInfo infos[PIDS_MAX];
    Containerd__V1__Types__ProcessInfo *pointers[PIDS_MAX];
    size_t n;
};

static void add_pid(void *data, pid_t pid)
{
    struct pids *pids = data;

    if (pids->n == PIDS_MAX)
        return;
    containerd__v1__types__process_info__init(&pids->infos[pids->n]);
    pids->infos[pids->n].pid = (uint32_t)pid;
    pids->pointers[pids->n] = &pids->infos[pids->n];
    pids->n++;
}

static int serve_pids(struct shim *s, struct call *call, const void *request, struct error *err)
{
    const Containerd__Task__V3__PidsRequest *r = request;
    Containerd__Task__V3__PidsResponse response = CONTAINERD__TASK__V3__PIDS_RESPONSE__INIT;
    struct task *t = service_find_task(s, r->id, err);

    if (!t)
        return -1;
    AUTO_FREE struct pids *pids = xcalloc(1, sizeof *pids);
    container_cgroup_each(&t->cgroup, add_pid, pids);
    response.n_processes = pids->n;
    response.processes = pids->pointers;
    call_reply(call, &response.base);
    return 0;
}

static int serve_pause(struct shim *s, struct call *call, const void *request, struct error *err)
{
    struct task *t =
        service_find_task(s, ((const Containerd__Task__V3__PauseRequest *)request)->id, err);

    return t ? task_pause(t, call, err) : -1;
}

static int serve_resume(struct shim *s, struct call *call, const void *request, struct error *err)
{
    struct task *t =
        service_find_task(s, ((const Containerd__Task__V3__ResumeRequest *)request)->id, err);

    return t ? task_resume(t, call, err) : -1;
}

static int serve_kill(struct shim *s, struct call *call, const void *request, struct error *err)
{
    const Containerd__Task__V3__KillRequest *r = request;

    if (r->signal == 0 || r->signal > SIGNAL_MAX)
        return error_set(err, ERROR_INVALID, "%u is not a signal", r->signal);
    if (*r->exec_id) {
        struct exec *x = service_find_exec(s, r->id, r->exec_id, err);

        if (!x || proc_signal(&x->proc, (int)r->signal, err) < 0)
            return -1;
    } else {
        struct task *t = service_find_task(s, r->id, err);

        if (!t || task_kill(t, (int)r->signal, r->all, err) < 0)
            return -1;
    }
    call_reply(call, NULL);
    return 0;
}

static int serve_exec(struct shim *s, struct call *call, const void *request, struct error *err)
{
    const Containerd__Task__V3__ExecProcessRequest *r = request;
    const struct streams_spec stdio = {.in = r->stdin,
                                       .out = r->stdout,
                                       .err = r->stderr,
                                       .has_terminal = r->terminal,
                                       .fds = call->fds,
                                       .n_fds = call->n_fds};
    struct task *t = service_find_task(s, r->id, err);
    struct exec_process process;

    if (!t)
        return -1;
    if (!r->spec)
        return error_set(err, ERROR_INVALID, "the spec is missing");
    process = (struct exec_process){r->spec->value.data, r->spec->value.len, NULL, 0};
    if (exec_create(t, r->exec_id, &stdio, &process, err) < 0)
        return -1;
    call_reply(call, NULL);
    return 0;
}

static int serve_resize(struct shim *s, struct call *call, const void *request, struct error *err)
{
    const Containerd__Task__V3__ResizePtyRequest *r = request;
    struct proc *p = find_proc(s, r->id, r->exec_id, err);

    if (!p || streams_resize(&p->io, r->width, r->height, err) < 0)
        return -1;
    call_reply(call, NULL);
    return 0;
}

static int serve_close_io(struct shim *s, struct call *call, const void *request, struct error *err)
{
    const Containerd__Task__V3__CloseIORequest *r = request;
    struct proc *p = find_proc(s, r->id, r->exec_id, err);

    if (!p)
        return -1;
    if (r->stdin)
        streams_close_in(&p->io);
    call_reply(call, NULL);
    return 0;
}

static int serve_update(struct shim *s, struct call *call, const void *request, struct error *err)
{
    const Containerd__Task__V3__UpdateTaskRequest *r = request;
    struct task *t = service_find_task(s, r->id, err);

    if (!t)
        return -1;
    if (!r->resources || r->resources->value.len == 0)
        return error_set(err, ERROR_INVALID, "resources are missing");
    return task_update(t, r->resources->value.data, r->resources->value.len, call, err);
}

static int serve_wait(struct shim *s, struct call *call, const void *request, struct error *err)
{
    const Containerd__Task__V3__WaitRequest *r = request;
    struct proc *p = find_proc(s, r->id, r->exec_id, err);

    if (!p)
        return -1;
    proc_wait(p, call);
    return 0;
}

static int serve_connect(struct shim *s, struct call *call, const void *request, struct error *err)
{
    const Containerd__Task__V3__ConnectRequest *r = request;
    Containerd__Task__V3__ConnectResponse response = CONTAINERD__TASK__V3__CONNECT_RESPONSE__INIT;
    const struct task *t = pod_find_task(&s->pod, r->id);

    (void)err;
    response.shim_pid = (uint32_t)getpid();
    response.task_pid = t ? (uint32_t)t->init.child.pid : 0;
    response.version = (char *)BERTH_VERSION;
    call_reply(call, &response.base);
    return 0;
}

/* Nothing is done while there are containers: whoever means the pod says ShutdownSandbox. */
static int serve_shutdown(struct shim *s, struct call *call, const void *request, struct error *err)
{
    (void)request;
    (void)err;
    if (s->pod.n_tasks > 0) {
        call_reply(call, NULL);
        return 0;
    }
    s->pod.is_to_exit = true;
    list_add(&s->pod.stoppers, &call->link);
    pod_stop(&s->pod);
    return 0;
}

const struct service_method service_task_methods[] = {
    {"State", serve_state},       {"Create", serve_create},
    {"Start", serve_start},       {"Delete", serve_delete},
    {"Pids", serve_pids},         {"Pause", serve_pause},
    {"Resume", serve_resume},     {"Kill", serve_kill},
    {"Exec", serve_exec},         {"ResizePty", serve_resize},
    {"CloseIO", serve_close_io},  {"Update", serve_update},
    {"Wait", serve_wait},         {"Connect", serve_connect},
    {"Shutdown", serve_shutdown}, {NULL, NULL},
};

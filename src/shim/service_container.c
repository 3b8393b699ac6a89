// SPDX-License-Identifier: Apache-2.0
#include "shim.pb-c.h"
#include "shim/attachment.h"
#include "shim/exec.h"
#include "shim/service.h"
#include "shim/task.h"

static int serve_reopen(struct shim *s, struct call *call, const void *request, struct error *err)
{
    const Berth__Shim__V1__ReopenLogRequest *r = request;
    struct task *t = service_find_task(s, r->id, err);

    if (!t || streams_reopen_log(&t->init.io, err) < 0)
        return -1;
    call_reply(call, NULL);
    return 0;
}

static int serve_attach(struct shim *s, struct call *call, const void *request, struct error *err)
{
    const Berth__Shim__V1__AttachRequest *r = request;
    const struct streams_spec spec = {
        .in = r->stdin, .out = r->stdout, .err = r->stderr, .fds = call->fds, .n_fds = call->n_fds};
    struct task *t = service_find_task(s, r->id, err);

    if (!t)
        return -1;
    if (!proc_is_alive(&t->init))
        return error_set(err, ERROR_PRECONDITION, "cannot attach to a %s container",
                         proc_state_name(t->init.state));
    if (attachment_open(&t->init.io, &spec, r->stdin_once, err) < 0)
        return -1;
    call_reply(call, NULL);
    return 0;
}

static int serve_tend(struct shim *s, struct call *call, const void *request, struct error *err)
{
    const Berth__Shim__V1__TendExecRequest *r = request;
    struct exec *x = service_find_exec(s, r->id, r->exec_id, err);

    return x ? exec_tend(x, call, err) : -1;
}

static int serve_run(struct shim *s, struct call *call, const void *request, struct error *err)
{
    const Berth__Shim__V1__RunExecRequest *r = request;
    const struct streams_spec stdio = {.in = r->stdin,
                                       .out = r->stdout,
                                       .err = r->stderr,
                                       .has_terminal = r->terminal,
                                       .fds = call->fds,
                                       .n_fds = call->n_fds};
    const struct exec_process process = {r->process.data, r->process.len, r->entry.data,
                                         r->entry.len};
    struct task *t = service_find_task(s, r->id, err);
    struct exec *x;

    if (!t)
        return -1;
    if (exec_create(t, r->exec_id, &stdio, &process, err) < 0)
        return -1;
    x = exec_find(t, r->exec_id);
    if (exec_run(x, call, err) < 0) {
        exec_remove(x);
        return -1;
    }
    return 0;
}

const struct service_method service_container_methods[] = {
    {"ReopenLog", serve_reopen},
    {"Attach", serve_attach},
    {"TendExec", serve_tend},
    {"RunExec", serve_run},
    {NULL, NULL},
};

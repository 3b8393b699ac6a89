// SPDX-License-Identifier: Apache-2.0
#include "pod/shim_exec.h"

#include <shim.pb-c.h>
#include <signal.h>
#include <string.h>
#include <task.pb-c.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "pod/container_entry.h"
#include "pod/shim.h"
#include "rpc/ttrpc_client.h"

enum {
    ARENA_MAX = 8 * 1024 * 1024,
    ENTRY_MAX = 1024 * 1024,
    KILL_MS = 10 * 1000,
    END_MS = 60 * 1000,
};

static const char task_service[] = "containerd.task.v3.Task";

static int add(const struct shim_exec *x, const struct deadline *by, struct error *err)
{
    Containerd__Task__V3__ExecProcessRequest request =
        CONTAINERD__TASK__V3__EXEC_PROCESS_REQUEST__INIT;
    AUTO_FREE char *socket = xasprintf("%s/shim.sock", x->container->sandbox->dir);
    struct ttrpc_call call = {
        .socket = socket, .service = task_service, .method = "Exec", .request = &request.base};
    char **names[3] = {&request.stdin, &request.stdout, &request.stderr};
    AUTO_FINI(arena) a;
    int fds[3];

    arena_init(&a, ARENA_MAX);
    request.id = x->container->id;
    request.exec_id = (char *)x->id;
    request.terminal = x->has_terminal;
    request.spec = shim_json_any(&a, "Process", x->process);
    for (int i = 0; i < 3; i++) {
        if (x->fds[i] < 0)
            continue;
        *names[i] = arena_printf(&a, "fd://%zu", call.n_fds);
        fds[call.n_fds++] = x->fds[i];
    }
    call.fds = fds;
    return ttrpc_client_call(&call, &a, by, NULL, err);
}

static struct ttrpc_call tend_call(const char *socket,
                                   const Berth__Shim__V1__TendExecRequest *request)
{
    return (struct ttrpc_call){.socket = socket,
                               .service = "berth.shim.v1.Container",
                               .method = "TendExec",
                               .request = &request->base,
                               .response = &berth__shim__v1__tend_exec_response__descriptor};
}

static int tend(const struct shim_exec *x, const struct deadline *by, struct error *err)
{
    AUTO_FREE char *socket = xasprintf("%s/shim.sock", x->container->sandbox->dir);
    Berth__Shim__V1__TendExecRequest request = BERTH__SHIM__V1__TEND_EXEC_REQUEST__INIT;
    struct ttrpc_call call = tend_call(socket, &request);

    request.id = x->container->id;
    request.exec_id = (char *)x->id;
    return ttrpc_client_begin(&call, by, err);
}

/* For one that may have been added and is not tended. */
static void forget(const struct shim_exec *x)
{
    Containerd__Task__V3__DeleteRequest request = CONTAINERD__TASK__V3__DELETE_REQUEST__INIT;
    struct deadline by = deadline_in_ms(KILL_MS);
    struct error err;

    request.id = x->container->id;
    request.exec_id = (char *)x->id;
    if (shim_call(x->container->sandbox, task_service, "Delete", &request.base, &by, &err) < 0)
        log_debug("container %s: forget an exec: %s", x->container->id, err.text);
}

int shim_exec_start(struct shim_exec *x, const struct deadline *by, struct error *err)
{
    Containerd__Task__V3__StartRequest request = CONTAINERD__TASK__V3__START_REQUEST__INIT;

    cgroup_attach_hasten(&x->container->sandbox->node->cgroup_attach);
    id_new(x->id);
    x->ended_fd = -1;
    request.id = x->container->id;
    request.exec_id = x->id;
    if (add(x, by, err) < 0 || (x->ended_fd = tend(x, by, err)) < 0) {
        forget(x);
        return -1;
    }
    if (shim_call(x->container->sandbox, task_service, "Start", &request.base, by, err) < 0) {
        fd_close(&x->ended_fd);
        return -1;
    }
    return 0;
}

/* Leaves out empty where the OCI runtime is to do it. */
static void add_entry(const struct shim_exec *x, struct buf *out)
{
    const struct node_runtime *runtime = x->container->sandbox->runtime;
    const struct oci_features features = node_features(x->container->sandbox->node, runtime);
    const struct container_entry_spec spec = {.container_id = x->container->id,
                                              .family = features.family,
                                              .config = x->config,
                                              .process = x->process};
    struct error err;

    if (runtime->has_entries && container_entry_is_for(features.family, runtime->path) &&
        container_entry_pack(&spec, out, &err) < 0)
        log_debug("container %s: an exec takes a run of the OCI runtime: %s", x->container->id,
                  err.text);
}

/* In version 2 of cgroups who comes without the runtime is born where he belongs. */
static bool is_moved(const struct node *n, const struct buf *entry)
{
    return entry->len == 0 || n->host.cgroup_mode != OCI_CGROUP_V2;
}

int shim_exec_run(struct shim_exec *x, const struct deadline *by, struct error *err)
{
    Berth__Shim__V1__RunExecRequest request = BERTH__SHIM__V1__RUN_EXEC_REQUEST__INIT;
    AUTO_FREE char *socket = xasprintf("%s/shim.sock", x->container->sandbox->dir);
    struct node *n = x->container->sandbox->node;
    const char *process = json_text(x->process);
    struct ttrpc_call call = {.socket = socket,
                              .service = "berth.shim.v1.Container",
                              .method = "RunExec",
                              .request = &request.base};
    char **names[3] = {&request.stdin, &request.stdout, &request.stderr};
    AUTO_FINI(buf) entry = BUF(ENTRY_MAX);
    AUTO_FINI(arena) a;
    int fds[3];

    arena_init(&a, ARENA_MAX);
    add_entry(x, &entry);
    if (is_moved(n, &entry))
        cgroup_attach_hasten(&n->cgroup_attach);
    id_new(x->id);
    request.id = x->container->id;
    request.exec_id = x->id;
    request.terminal = x->has_terminal;
    request.process.data = (uint8_t *)process;
    request.process.len = strlen(process);
    request.entry.data = (uint8_t *)entry.data;
    request.entry.len = entry.len;
    for (int i = 0; i < 3; i++) {
        if (x->fds[i] < 0)
            continue;
        *names[i] = arena_printf(&a, "fd://%zu", call.n_fds);
        fds[call.n_fds++] = x->fds[i];
    }
    call.fds = fds;
    x->ended_fd = ttrpc_client_begin(&call, by, err);
    return x->ended_fd < 0 ? -1 : 0;
}

int shim_exec_wait(struct shim_exec *x, const struct deadline *by, int *out_status,
                   struct error *err)
{
    Berth__Shim__V1__TendExecRequest request = BERTH__SHIM__V1__TEND_EXEC_REQUEST__INIT;
    struct ttrpc_call call = tend_call("", &request);
    const Berth__Shim__V1__TendExecResponse *ended;
    ProtobufCMessage *response;
    AUTO_FINI(arena) a;

    arena_init(&a, ARENA_MAX);
    if (ttrpc_client_finish(fd_take(&x->ended_fd), &call, &a, by, &response, err) < 0)
        return -1;
    ended = (Berth__Shim__V1__TendExecResponse *)response;
    log_debug("container %s: an exec was started by %s", x->container->id,
              ended->direct ? "the shim" : "the OCI runtime");
    *out_status = (int)ended->exit_status;
    return 0;
}

void shim_exec_kill(struct shim_exec *x)
{
    Containerd__Task__V3__KillRequest request = CONTAINERD__TASK__V3__KILL_REQUEST__INIT;
    struct deadline kill_by = deadline_in_ms(KILL_MS), end_by = deadline_in_ms(END_MS);
    struct error err;
    int status;

    request.id = x->container->id;
    request.exec_id = x->id;
    request.signal = SIGKILL;
    /* What cannot be signalled has ended, or its shim has, or it is being started: then the shim
     * kills it as soon as it can when nobody waits for it any more. */
    if (shim_call(x->container->sandbox, task_service, "Kill", &request.base, &kill_by, &err) < 0) {
        log_debug("container %s: kill an exec: %s", x->container->id, err.text);
        if (err.code == ERROR_PRECONDITION) {
            fd_close(&x->ended_fd);
            return;
        }
    }
    if (shim_exec_wait(x, &end_by, &status, &err) < 0 && err.code == ERROR_DEADLINE)
        log_warn("container %s: an exec does not end", x->container->id);
}

// SPDX-License-Identifier: Apache-2.0
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/own.h"
#include "sandbox.pb-c.h"
#include "shim.pb-c.h"
#include "shim/service.h"

enum { SYSCTLS_MAX = 256 };

#define OPTIONS_TYPE "berth.shim.v1.PodOptions"

/* Both "name" and "prefix/name" are in use. */
static bool is_type(const char *url, const char *name)
{
    const char *slash = strrchr(url, '/');

    return strcmp(slash ? slash + 1 : url, name) == 0;
}

static int create_with(struct pod *pod, const Berth__Shim__V1__PodOptions *options,
                       struct error *err)
{
    struct namespaces_sysctl sysctls[SYSCTLS_MAX];
    struct namespaces_spec spec = {
        .hostname = options->hostname,
        .has_net = !options->host_network,
        .has_ipc = !options->host_ipc,
        .has_pid = options->shared_pid,
        .ids = {{options->first_uid, options->uids}, {options->first_gid, options->gids}},
        .sysctls = sysctls,
        .n_sysctls = options->n_sysctls,
        .shm_bytes = options->shm_bytes};

    if (options->n_sysctls > SYSCTLS_MAX)
        return error_set(err, ERROR_EXHAUSTED, "more than %d sysctls", SYSCTLS_MAX);
    for (size_t i = 0; i < options->n_sysctls; i++)
        sysctls[i] =
            (struct namespaces_sysctl){options->sysctls[i]->key, options->sysctls[i]->value};
    return pod_create(pod, &spec, options->exits_dir, err);
}

static int serve_create(struct shim *s, struct call *call, const void *request, struct error *err)
{
    const Containerd__Runtime__Sandbox__V1__CreateSandboxRequest *r = request;
    Berth__Shim__V1__PodOptions *options;
    int failed;

    if (!r->options || !is_type(r->options->type_url, OPTIONS_TYPE))
        return error_set(err, ERROR_INVALID, "options must be a " OPTIONS_TYPE);
    options =
        berth__shim__v1__pod_options__unpack(NULL, r->options->value.len, r->options->value.data);
    if (!options)
        return error_set(err, ERROR_INVALID, "options are damaged");
    failed = create_with(&s->pod, options, err);
    berth__shim__v1__pod_options__free_unpacked(options, NULL);
    if (failed)
        return -1;
    call_reply(call, NULL);
    return 0;
}

static Google__Protobuf__Timestamp timestamp(int64_t ns)
{
    Google__Protobuf__Timestamp at = GOOGLE__PROTOBUF__TIMESTAMP__INIT;

    at.seconds = ns / CLOCK_NS_PER_S;
    at.nanos = (int32_t)(ns % CLOCK_NS_PER_S);
    return at;
}

static int serve_start(struct shim *s, struct call *call, const void *request, struct error *err)
{
    Containerd__Runtime__Sandbox__V1__StartSandboxResponse response =
        CONTAINERD__RUNTIME__SANDBOX__V1__START_SANDBOX_RESPONSE__INIT;
    Google__Protobuf__Timestamp at = timestamp(s->pod.created_ns);

    (void)request;
    if (s->pod.state != POD_READY)
        return error_set(err, ERROR_PRECONDITION, "the pod was not created, or has stopped");
    response.pid = (uint32_t)pod_pid(&s->pod);
    response.created_at = &at;
    call_reply(call, &response.base);
    return 0;
}

static int serve_status(struct shim *s, struct call *call, const void *request, struct error *err)
{
    Containerd__Runtime__Sandbox__V1__SandboxStatusResponse response =
        CONTAINERD__RUNTIME__SANDBOX__V1__SANDBOX_STATUS_RESPONSE__INIT;
    Google__Protobuf__Timestamp created = timestamp(s->pod.created_ns);
    Google__Protobuf__Timestamp stopped = timestamp(s->pod.stopped_ns);

    (void)request;
    (void)err;
    response.sandbox_id = s->pod.id;
    response.pid = (uint32_t)pod_pid(&s->pod);
    response.state = (char *)(s->pod.state == POD_READY ? "SANDBOX_READY" : "SANDBOX_NOTREADY");
    if (s->pod.created_ns)
        response.created_at = &created;
    if (s->pod.stopped_ns)
        response.exited_at = &stopped;
    call_reply(call, &response.base);
    return 0;
}

static int serve_ping(struct shim *s, struct call *call, const void *request, struct error *err)
{
    (void)s;
    (void)request;
    (void)err;
    call_reply(call, NULL);
    return 0;
}

static int serve_stop(struct shim *s, struct call *call, const void *request, struct error *err)
{
    (void)request;
    (void)err;
    list_add(&s->pod.stoppers, &call->link);
    pod_stop(&s->pod);
    return 0;
}

static int serve_wait(struct shim *s, struct call *call, const void *request, struct error *err)
{
    (void)request;
    (void)err;
    list_add(&s->pod.waiters, &call->link);
    pod_check_stopped(&s->pod);
    return 0;
}

static int serve_shutdown(struct shim *s, struct call *call, const void *request, struct error *err)
{
    (void)request;
    (void)err;
    s->pod.is_to_exit = true;
    list_add(&s->pod.stoppers, &call->link);
    pod_stop(&s->pod);
    return 0;
}

const struct service_method service_sandbox_methods[] = {
    {"CreateSandbox", serve_create},     {"StartSandbox", serve_start},
    {"SandboxStatus", serve_status},     {"PingSandbox", serve_ping},
    {"StopSandbox", serve_stop},         {"WaitSandbox", serve_wait},
    {"ShutdownSandbox", serve_shutdown}, {NULL, NULL},
};

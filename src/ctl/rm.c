// SPDX-License-Identifier: Apache-2.0
#include "ctl/command.h"
#include "ctl/lookup.h"

static bool force;
static const struct flag flags[] = {
    {"force", 'f', FLAG_SWITCH, &force, NULL, "also when it runs: stop it first"}, {0}};

static int remove_pod(struct ctl *c, const struct lookup_target *target, struct error *err)
{
    Runtime__V1__PodSandboxStatusRequest status = RUNTIME__V1__POD_SANDBOX_STATUS_REQUEST__INIT;
    Runtime__V1__StopPodSandboxRequest stop = RUNTIME__V1__STOP_POD_SANDBOX_REQUEST__INIT;
    Runtime__V1__RemovePodSandboxRequest remove = RUNTIME__V1__REMOVE_POD_SANDBOX_REQUEST__INIT;
    const Runtime__V1__PodSandboxStatusResponse *now;
    char *id = arena_strdup(&c->arena, target->id);

    status.pod_sandbox_id = stop.pod_sandbox_id = remove.pod_sandbox_id = id;
    if (!force) {
        now = ctl_runtime(c, &c->arena, "PodSandboxStatus", &status, err);
        if (!now)
            return -1;
        if (now->status && now->status->state == RUNTIME__V1__POD_SANDBOX_STATE__SANDBOX_READY)
            return error_set(err, ERROR_PRECONDITION, "pod %s runs: stop it first, or use rm -f",
                             target->name);
    }
    /* Stopping a stopped pod is fine, and frees what an earlier stop could not. */
    if (!ctl_runtime(c, &c->arena, "StopPodSandbox", &stop, err))
        return -1;
    return ctl_runtime(c, &c->arena, "RemovePodSandbox", &remove, err) ? 0 : -1;
}

static int remove_container(struct ctl *c, const struct lookup_target *target, struct error *err)
{
    Runtime__V1__ContainerStatusRequest status = RUNTIME__V1__CONTAINER_STATUS_REQUEST__INIT;
    Runtime__V1__RemoveContainerRequest remove = RUNTIME__V1__REMOVE_CONTAINER_REQUEST__INIT;
    const Runtime__V1__ContainerStatusResponse *now;

    status.container_id = remove.container_id = arena_strdup(&c->arena, target->id);
    if (!force) {
        now = ctl_runtime(c, &c->arena, "ContainerStatus", &status, err);
        if (!now)
            return -1;
        if (now->status && now->status->state == RUNTIME__V1__CONTAINER_STATE__CONTAINER_RUNNING)
            return error_set(err, ERROR_PRECONDITION,
                             "container %s runs: stop it first, or use rm -f", target->name);
    }
    return ctl_runtime(c, &c->arena, "RemoveContainer", &remove, err) ? 0 : -1;
}

static int rm(struct ctl *c, const struct strv *args, struct error *err)
{
    for (size_t i = 0; i < args->len; i++) {
        struct lookup_target target;

        if (lookup_any(c, args->items[i], &target, err) < 0)
            return -1;
        if ((target.is_pod ? remove_pod : remove_container)(c, &target, err) < 0)
            return -1;
    }
    return 0;
}

const struct command rm_command = {.name = "rm",
                                   .arguments = "CONTAINER|POD...",
                                   .summary = "remove containers, or pods and all in them",
                                   .flags = flags,
                                   .args_min = 1,
                                   .args_max = SIZE_MAX,
                                   .run = rm};

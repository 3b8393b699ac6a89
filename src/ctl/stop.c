// SPDX-License-Identifier: Apache-2.0
#include "ctl/command.h"
#include "ctl/lookup.h"

static int64_t timeout_s = 10;
static const struct flag flags[] = {
    {"timeout", 't', FLAG_NUMBER, &timeout_s, "SECONDS",
     "before a container is killed (10); a pod's are killed at once"},
    {0}};

static int stop(struct ctl *c, const struct strv *args, struct error *err)
{
    Runtime__V1__StopContainerRequest container = RUNTIME__V1__STOP_CONTAINER_REQUEST__INIT;
    Runtime__V1__StopPodSandboxRequest pod = RUNTIME__V1__STOP_POD_SANDBOX_REQUEST__INIT;
    struct lookup_target target;

    if (lookup_any(c, args->items[0], &target, err) < 0)
        return -1;
    if (target.is_pod) {
        pod.pod_sandbox_id = arena_strdup(&c->arena, target.id);
        return ctl_runtime(c, &c->arena, "StopPodSandbox", &pod, err) ? 0 : -1;
    }
    container.container_id = arena_strdup(&c->arena, target.id);
    container.timeout = timeout_s;
    return ctl_runtime(c, &c->arena, "StopContainer", &container, err) ? 0 : -1;
}

const struct command stop_command = {.name = "stop",
                                     .arguments = "CONTAINER|POD",
                                     .summary = "stop a container, or a pod and all in it",
                                     .flags = flags,
                                     .args_min = 1,
                                     .args_max = 1,
                                     .run = stop};

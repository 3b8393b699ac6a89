// SPDX-License-Identifier: Apache-2.0
#include "cri.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

enum { ANSWER_MAX = 64 * 1024 * 1024 };

int cri_open(struct cri *c, const struct bench *b, struct error *err)
{
    *c = (struct cri){.bench = b};
    arena_init(&c->arena, ANSWER_MAX);
    c->rpc = rpc_client_open(b->socket, err);
    return c->rpc ? 0 : -1;
}

void cri_close(struct cri *c)
{
    if (c->rpc)
        rpc_client_close(c->rpc);
    c->rpc = NULL;
    arena_fini(&c->arena);
}

static ProtobufCMessage *call(struct cri *c, const ProtobufCServiceDescriptor *service,
                              const char *method, const ProtobufCMessage *request,
                              struct error *err)
{
    struct deadline by = deadline_in_ms(CRI_TIMEOUT_MS);
    ProtobufCMessage *answer;

    arena_fini(&c->arena);
    arena_init(&c->arena, ANSWER_MAX);
    answer = rpc_client_call(c->rpc, service, method, request, &c->arena, &by, err);
    if (!answer)
        error_wrap(err, "%s", method);
    return answer;
}

ProtobufCMessage *cri_call(struct cri *c, const char *method, const ProtobufCMessage *request,
                           struct error *err)
{
    return call(c, &runtime__v1__runtime_service__descriptor, method, request, err);
}

ProtobufCMessage *cri_image_call(struct cri *c, const char *method, const ProtobufCMessage *request,
                                 struct error *err)
{
    return call(c, &runtime__v1__image_service__descriptor, method, request, err);
}

/* The configuration of a pod, with all that it points to. */
struct pod_config {
    Runtime__V1__PodSandboxConfig config;
    Runtime__V1__PodSandboxMetadata metadata;
    Runtime__V1__LinuxPodSandboxConfig linux;
    Runtime__V1__LinuxSandboxSecurityContext security;
    Runtime__V1__NamespaceOption namespaces;
    char logs[PATH_MAX];
};

static void describe(const struct cri *c, struct cri_pod *pod, struct pod_config *p)
{
    p->config = (Runtime__V1__PodSandboxConfig)RUNTIME__V1__POD_SANDBOX_CONFIG__INIT;
    p->metadata = (Runtime__V1__PodSandboxMetadata)RUNTIME__V1__POD_SANDBOX_METADATA__INIT;
    p->linux = (Runtime__V1__LinuxPodSandboxConfig)RUNTIME__V1__LINUX_POD_SANDBOX_CONFIG__INIT;
    p->security =
        (Runtime__V1__LinuxSandboxSecurityContext)RUNTIME__V1__LINUX_SANDBOX_SECURITY_CONTEXT__INIT;
    p->namespaces = (Runtime__V1__NamespaceOption)RUNTIME__V1__NAMESPACE_OPTION__INIT;
    snprintf(p->logs, sizeof p->logs, "%s/%s", c->bench->logs, pod->name);
    p->metadata.name = p->metadata.uid = pod->name;
    p->metadata.namespace_ = (char *)"bench";
    p->namespaces.pid = RUNTIME__V1__NAMESPACE_MODE__CONTAINER;
    if (c->bench->host_network)
        p->namespaces.network = RUNTIME__V1__NAMESPACE_MODE__NODE;
    p->security.namespace_options = &p->namespaces;
    p->linux.cgroup_parent = (char *)c->bench->cgroup_parent;
    p->linux.security_context = &p->security;
    p->config.metadata = &p->metadata;
    p->config.log_directory = p->logs;
    p->config.linux = &p->linux;
}

static int keep_id(char out[CRI_ID_SIZE], const char *id, struct error *err)
{
    if (snprintf(out, CRI_ID_SIZE, "%s", id) >= CRI_ID_SIZE)
        return error_set(err, ERROR_UNKNOWN, "an id is too long: %s", id);
    return 0;
}

int cri_run_pod(struct cri *c, struct cri_pod *pod, struct error *err)
{
    Runtime__V1__RunPodSandboxRequest request = RUNTIME__V1__RUN_POD_SANDBOX_REQUEST__INIT;
    const Runtime__V1__RunPodSandboxResponse *answer;
    struct pod_config p;

    describe(c, pod, &p);
    if (mkdir(p.logs, 0755) < 0 && errno != EEXIST) /* the kubelet makes it, too */
        return error_errno(err, errno, "make %s", p.logs);
    request.config = &p.config;
    answer = (void *)cri_call(c, "RunPodSandbox", &request.base, err);
    return answer ? keep_id(pod->id, answer->pod_sandbox_id, err) : -1;
}

int cri_create(struct cri *c, struct cri_pod *pod, const char *const *args, size_t n,
               struct error *err)
{
    Runtime__V1__CreateContainerRequest request = RUNTIME__V1__CREATE_CONTAINER_REQUEST__INIT;
    Runtime__V1__ContainerConfig config = RUNTIME__V1__CONTAINER_CONFIG__INIT;
    Runtime__V1__ContainerMetadata metadata = RUNTIME__V1__CONTAINER_METADATA__INIT;
    Runtime__V1__ImageSpec image = RUNTIME__V1__IMAGE_SPEC__INIT;
    Runtime__V1__LinuxContainerConfig linux = RUNTIME__V1__LINUX_CONTAINER_CONFIG__INIT;
    Runtime__V1__LinuxContainerSecurityContext security =
        RUNTIME__V1__LINUX_CONTAINER_SECURITY_CONTEXT__INIT;
    const Runtime__V1__CreateContainerResponse *answer;
    struct pod_config p;

    describe(c, pod, &p);
    image.image = (char *)c->bench->image;
    metadata.name = (char *)"c";
    security.namespace_options = &p.namespaces;
    linux.security_context = &security;
    config.metadata = &metadata;
    config.image = &image;
    config.command = (char **)args;
    config.n_command = n;
    config.log_path = (char *)"c.log";
    config.linux = &linux;
    request.pod_sandbox_id = pod->id;
    request.config = &config;
    request.sandbox_config = &p.config;
    answer = (void *)cri_call(c, "CreateContainer", &request.base, err);
    return answer ? keep_id(pod->container, answer->container_id, err) : -1;
}

int cri_start(struct cri *c, struct cri_pod *pod, struct error *err)
{
    Runtime__V1__StartContainerRequest request = RUNTIME__V1__START_CONTAINER_REQUEST__INIT;

    request.container_id = pod->container;
    return cri_call(c, "StartContainer", &request.base, err) ? 0 : -1;
}

int cri_stop(struct cri *c, struct cri_pod *pod, struct error *err)
{
    Runtime__V1__StopContainerRequest request = RUNTIME__V1__STOP_CONTAINER_REQUEST__INIT;

    request.container_id = pod->container; /* without patience: SIGKILL */
    return cri_call(c, "StopContainer", &request.base, err) ? 0 : -1;
}

int cri_remove(struct cri *c, struct cri_pod *pod, struct error *err)
{
    Runtime__V1__RemoveContainerRequest request = RUNTIME__V1__REMOVE_CONTAINER_REQUEST__INIT;

    request.container_id = pod->container;
    return cri_call(c, "RemoveContainer", &request.base, err) ? 0 : -1;
}

int cri_stop_pod(struct cri *c, struct cri_pod *pod, struct error *err)
{
    Runtime__V1__StopPodSandboxRequest request = RUNTIME__V1__STOP_POD_SANDBOX_REQUEST__INIT;

    request.pod_sandbox_id = pod->id;
    return cri_call(c, "StopPodSandbox", &request.base, err) ? 0 : -1;
}

int cri_remove_pod(struct cri *c, struct cri_pod *pod, struct error *err)
{
    Runtime__V1__RemovePodSandboxRequest request = RUNTIME__V1__REMOVE_POD_SANDBOX_REQUEST__INIT;

    request.pod_sandbox_id = pod->id;
    return cri_call(c, "RemovePodSandbox", &request.base, err) ? 0 : -1;
}

int cri_find(struct cri *c, struct cri_pod *out, struct error *err)
{
    Runtime__V1__ListContainersRequest request = RUNTIME__V1__LIST_CONTAINERS_REQUEST__INIT;
    const Runtime__V1__ListContainersResponse *answer =
        (void *)cri_call(c, "ListContainers", &request.base, err);

    if (!answer)
        return -1;
    if (answer->n_containers == 0)
        return error_set(err, ERROR_NOT_FOUND, "there is no container");
    snprintf(out->id, sizeof out->id, "%s", answer->containers[0]->pod_sandbox_id);
    snprintf(out->container, sizeof out->container, "%s", answer->containers[0]->id);
    return 0;
}

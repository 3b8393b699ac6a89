// SPDX-License-Identifier: Apache-2.0
#include "cri/brief_calls.h"

#include <cri.pb-c.h>

#include "base/own.h"
#include "pod/node.h"

static bool is_short(struct node *n, const struct map *map)
{
    size_t len;

    pthread_mutex_lock(&n->lock);
    len = map->len;
    pthread_mutex_unlock(&n->lock);
    return len <= BRIEF_CALLS_LIST_MAX;
}

bool brief_calls_always(void *data, const ProtobufCMessage *request)
{
    (void)data;
    (void)request;
    return true;
}

bool brief_calls_list_pods(void *data, const ProtobufCMessage *request)
{
    struct node *n = data;

    (void)request;
    return is_short(n, &n->sandboxes);
}

bool brief_calls_list_containers(void *data, const ProtobufCMessage *request)
{
    struct node *n = data;

    (void)request;
    return is_short(n, &n->containers);
}

bool brief_calls_pod_status(void *data, const ProtobufCMessage *request)
{
    (void)data;
    return !((const Runtime__V1__PodSandboxStatusRequest *)request)->verbose;
}

bool brief_calls_container_status(void *data, const ProtobufCMessage *request)
{
    (void)data;
    return !((const Runtime__V1__ContainerStatusRequest *)request)->verbose;
}

void brief_calls_add(struct rpc_server *server)
{
    static const struct {
        const char *method;
        rpc_is_brief *is_brief;
    } brief[] = {
        {"Version", brief_calls_always},
        {"RuntimeConfig", brief_calls_always},
        {"ListPodSandbox", brief_calls_list_pods},
        {"ListContainers", brief_calls_list_containers},
        {"PodSandboxStatus", brief_calls_pod_status},
        {"ContainerStatus", brief_calls_container_status},
    };

    for (size_t i = 0; i < COUNT_OF(brief); i++)
        rpc_server_add_brief(server, &runtime__v1__runtime_service__descriptor, brief[i].method,
                             brief[i].is_brief);
}

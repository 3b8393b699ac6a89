// SPDX-License-Identifier: Apache-2.0
#include "cri/services.h"

#include <cri.pb-c.h>
#include <node.pb-c.h>

#include "cri/brief_calls.h"
#include "cri/container_calls.h"
#include "cri/image_calls.h"
#include "cri/pod_calls.h"
#include "cri/runtime_calls.h"
#include "cri/stats_calls.h"
#include "cri/stream_calls.h"

static const struct rpc_method runtime_methods[] = {
    {"Version", runtime_calls_version, false},
    {"Status", runtime_calls_status, false},
    {"RuntimeConfig", runtime_calls_config, false},
    {"UpdateRuntimeConfig", runtime_calls_update, false},
    {"GetContainerEvents", runtime_calls_events, true},
    {"RunPodSandbox", pod_calls_run, false},
    {"StopPodSandbox", pod_calls_stop, false},
    {"RemovePodSandbox", pod_calls_remove, false},
    {"PodSandboxStatus", pod_calls_status, false},
    {"ListPodSandbox", pod_calls_list, false},
    {"StreamPodSandboxes", pod_calls_stream, true},
    {"CreateContainer", container_calls_create, false},
    {"StartContainer", container_calls_start, false},
    {"StopContainer", container_calls_stop, false},
    {"RemoveContainer", container_calls_remove, false},
    {"ContainerStatus", container_calls_status, false},
    {"ListContainers", container_calls_list, false},
    {"StreamContainers", container_calls_stream, true},
    {"ExecSync", container_calls_exec_sync, false},
    {"ReopenContainerLog", container_calls_reopen_log, false},
    {"Exec", stream_calls_exec, false},
    {"Attach", stream_calls_attach, false},
    {"PortForward", stream_calls_port_forward, false},
    {"UpdateContainerResources", container_calls_update, false},
    {"UpdatePodSandboxResources", pod_calls_update, false},
    {"ContainerStats", stats_calls_container, false},
    {"ListContainerStats", stats_calls_list_containers, false},
    {"StreamContainerStats", stats_calls_stream_containers, true},
    {"PodSandboxStats", stats_calls_pod, false},
    {"ListPodSandboxStats", stats_calls_list_pods, false},
    {"StreamPodSandboxStats", stats_calls_stream_pods, true},
    {0},
};

static const struct rpc_method image_methods[] = {
    {"ListImages", image_calls_list, false},
    {"StreamImages", image_calls_stream, true},
    {"ImageStatus", image_calls_status, false},
    {"PullImage", image_calls_pull, false},
    {"RemoveImage", image_calls_remove, false},
    {"ImageFsInfo", image_calls_fs_info, false},
    {0},
};

static const struct rpc_method node_methods[] = {
    {"ImportImage", image_calls_node_import, true},
    {"PullImage", image_calls_node_pull, true},
    {"ExportImage", image_calls_node_export, true},
    {"ExplainImage", image_calls_node_explain, true},
    {0},
};

void services_add(struct rpc_server *server, struct node *n)
{
    rpc_server_add(server, &runtime__v1__runtime_service__descriptor, runtime_methods, n);
    rpc_server_add(server, &runtime__v1__image_service__descriptor, image_methods, n);
    rpc_server_add(server, &berth__v1__node__descriptor, node_methods, n);
    brief_calls_add(server);
}

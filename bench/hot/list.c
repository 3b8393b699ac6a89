// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <stdio.h>

#include "base/message.h"
#include "cri/container_calls.h"
#include "hot.h"
#include "pod/container.h"
#include "rpc/call_server.h"
#include "wire/grpc_frame.h"

enum { CONTAINERS = 500, FRAME_MAX = 16 * 1024 * 1024 };

static void add_container(struct node *n, struct sandbox *s, int i)
{
    Runtime__V1__ContainerConfig config = RUNTIME__V1__CONTAINER_CONFIG__INIT;
    Runtime__V1__ContainerMetadata metadata = RUNTIME__V1__CONTAINER_METADATA__INIT;
    Runtime__V1__ImageSpec image = RUNTIME__V1__IMAGE_SPEC__INIT;
    Runtime__V1__ContainerConfig__LabelsEntry labels[4], *pointers[COUNT_OF(labels)];
    char id[ID_SIZE];
    struct container *c;

    for (size_t l = 0; l < COUNT_OF(labels); l++) {
        labels[l] = (Runtime__V1__ContainerConfig__LabelsEntry)
            RUNTIME__V1__CONTAINER_CONFIG__LABELS_ENTRY__INIT;
        labels[l].key =
            (char *)(const char *[]){"io.kubernetes.container.name", "io.kubernetes.pod.name",
                                     "io.kubernetes.pod.namespace", "io.kubernetes.pod.uid"}[l];
        labels[l].value = (char *)"a-name-of-usual-length";
        pointers[l] = &labels[l];
    }
    metadata.name = (char *)"container";
    image.image = (char *)"registry.example/some/image:1.0";
    config.metadata = &metadata;
    config.image = &image;
    config.labels = pointers;
    config.n_labels = COUNT_OF(labels);
    snprintf(id, sizeof id, "%064d", i);
    c = container_new(s, id, "name", (Runtime__V1__ContainerConfig *)message_copy(&config.base));
    c->image_id = xstrdup(id);
    c->image_ref = xstrdup(id);
    c->image_name = xstrdup("registry.example/some/image:1.0");
    c->log_path = xstrdup("");
    c->stop_signal = xstrdup("");
    c->cgroups_path = xstrdup("");
    map_put(&n->containers, c->id, c);
}

static void list(void *data)
{
    Runtime__V1__ListContainersRequest request = RUNTIME__V1__LIST_CONTAINERS_REQUEST__INIT;
    Runtime__V1__ListContainersResponse response = RUNTIME__V1__LIST_CONTAINERS_RESPONSE__INIT;
    struct rpc_call call = {0};
    struct grpc_frame *frame;
    struct error err;

    arena_init(&call.arena, FRAME_MAX);
    assert(container_calls_list(&call, data, &request.base, &response.base, &err) == 0);
    assert(response.n_containers == CONTAINERS);
    frame = grpc_frame_new(&response.base, FRAME_MAX, &err);
    assert(frame);
    grpc_frame_free(frame);
    arena_fini(&call.arena);
}

/* What is made here stays until the process ends. */
void hot_list(void)
{
    Runtime__V1__PodSandboxConfig config = RUNTIME__V1__POD_SANDBOX_CONFIG__INIT;
    Runtime__V1__PodSandboxMetadata metadata = RUNTIME__V1__POD_SANDBOX_METADATA__INIT;
    struct node n = {.root = (char *)"/root", .state = (char *)"/state"};
    struct sandbox *s;

    pthread_mutex_init(&n.lock, NULL);
    config.metadata = &metadata;
    s = sandbox_new(&n, "0123456789", "name",
                    (Runtime__V1__PodSandboxConfig *)message_copy(&config.base));
    for (int i = 0; i < CONTAINERS; i++)
        add_container(&n, s, i);
    list(&n);
    hot_measure(list, &n);
}

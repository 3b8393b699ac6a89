// SPDX-License-Identifier: Apache-2.0
#include "pod/notify.h"

#include "base/arena.h"
#include "base/clock.h"
#include "pod/container_status.h"
#include "pod/sandbox_status.h"

enum { ARENA_MAX = 64 * 1024 * 1024 };

static void add_containers(struct arena *a, struct sandbox *s,
                           Runtime__V1__ContainerEventResponse *message)
{
    size_t n;
    AUTO_FREE struct container **list = container_list(s->node, s, &n);

    message->n_containers_statuses = n;
    message->containers_statuses = arena_alloc(a, n * sizeof *message->containers_statuses);
    for (size_t i = 0; i < n; i++) {
        message->containers_statuses[i] = container_status_message(list[i], a);
        container_free(list[i]);
    }
}

static void publish(struct sandbox *s, const char *id, Runtime__V1__ContainerEventType type)
{
    Runtime__V1__ContainerEventResponse message = RUNTIME__V1__CONTAINER_EVENT_RESPONSE__INIT;
    AUTO_FINI(arena) a;

    arena_init(&a, ARENA_MAX);
    message.container_id = (char *)id;
    message.container_event_type = type;
    message.created_at = clock_now_ns();
    message.pod_sandbox_status = sandbox_status_message(s, &a);
    add_containers(&a, s, &message);
    events_publish(s->node->events, event_new(&message));
}

void notify_sandbox(struct sandbox *s, Runtime__V1__ContainerEventType type)
{
    publish(s, s->id, type);
}

void notify_container(struct container *c, Runtime__V1__ContainerEventType type)
{
    publish(c->sandbox, c->id, type);
}

// SPDX-License-Identifier: Apache-2.0
#include <signal.h>

#include "pod/container.h"
#include "pod/image_volume.h"
#include "pod/notify.h"
#include "pod/pod_files.h"
#include "pod/sandbox.h"
#include "pod/sandbox_network.h"
#include "pod/sandbox_record.h"
#include "pod/shim.h"

/* StopPodSandbox and RemovePodSandbox, §8.2 and §8.3. Every step passes over what is done already,
 * so both can be repeated after any failure, and undo a pod that was never complete. */

enum { STOP_MS = 2 * 60 * 1000 };

static void containers_free(struct container **list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        container_free(list[i]);
    free(list);
}

/* A failure shows when the container is stopped. */
static void kill_if_running(struct container *c)
{
    struct error ignored;

    if (container_state(c) == CONTAINER_RUNNING && shim_kill(c, SIGKILL, true, &ignored) < 0)
        return;
}

static int stop_containers(struct sandbox *s, struct error *err)
{
    struct deadline by = deadline_in_ms(STOP_MS);
    size_t n;
    struct container **list = container_list(s->node, s, &n);
    int outcome = 0;

    /* All are killed before any is waited for, so that they end beside each other. */
    for (size_t i = 0; i < n; i++)
        kill_if_running(list[i]);
    for (size_t i = 0; i < n && outcome == 0; i++)
        outcome = container_stop(list[i], 0, &by, err);
    containers_free(list, n);
    return outcome;
}

/* True when it was ready until now. */
static bool set_not_ready(struct sandbox *s)
{
    bool was_ready;

    pthread_mutex_lock(&s->node->lock);
    was_ready = s->state == SANDBOX_READY;
    s->state = SANDBOX_NOTREADY;
    pthread_mutex_unlock(&s->node->lock);
    return was_ready;
}

int sandbox_stop(struct sandbox *s, struct error *err)
{
    struct deadline by = deadline_in_ms(STOP_MS);

    if (stop_containers(s, err) < 0)
        return -1;
    if (shim_stop_sandbox(s, &by, err) < 0)
        return -1;
    if (set_not_ready(s) && s->announced)
        notify_sandbox(s, RUNTIME__V1__CONTAINER_EVENT_TYPE__CONTAINER_STOPPED_EVENT);
    if (sandbox_network_detach(s, err) < 0)
        return -1;
    shim_shutdown(s);
    if (image_volume_release(s, err) < 0 || pod_files_unmount(s, err) < 0)
        return -1;
    return sandbox_record_update(s, err);
}

static int remove_containers(struct sandbox *s, struct error *err)
{
    size_t n;
    struct container **list = container_list(s->node, s, &n);
    int outcome = 0;

    for (size_t i = 0; i < n && outcome == 0; i++)
        outcome = container_remove(list[i], err);
    containers_free(list, n);
    return outcome;
}

/* True when this caller is the one who took it out of the map. */
static bool take_from_map(struct sandbox *s)
{
    struct sandbox *mine;

    pthread_mutex_lock(&s->node->lock);
    mine = map_remove(&s->node->sandboxes, s->id);
    pthread_mutex_unlock(&s->node->lock);
    sandbox_free(mine);
    return mine != NULL;
}

int sandbox_remove(struct sandbox *s, struct error *err)
{
    if (sandbox_stop(s, err) < 0 || remove_containers(s, err) < 0 || pod_files_remove(s, err) < 0)
        return error_wrap(err, "remove pod %s", s->id);
    if (s->announced)
        notify_sandbox(s, RUNTIME__V1__CONTAINER_EVENT_TYPE__CONTAINER_DELETED_EVENT);
    if (sandbox_record_delete(s, err) < 0)
        return error_wrap(err, "remove pod %s", s->id);
    if (take_from_map(s))
        node_release_name(s->node, s->name);
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include <poll.h>
#include <sandbox.pb-c.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "os/dying.h"
#include "os/job.h"
#include "pod/container.h"
#include "pod/exit_monitor.h"
#include "pod/image_volume.h"
#include "pod/notify.h"
#include "pod/pod_files.h"
#include "pod/sandbox.h"
#include "pod/sandbox_network.h"
#include "pod/sandbox_record.h"
#include "pod/sandbox_selinux.h"
#include "pod/shim.h"

/* StopPodSandbox and RemovePodSandbox, §8.2 and §8.3. Every step passes over what is done already,
 * so both can be repeated after any failure, and undo a pod that was never complete. Both are jobs:
 * there is one of them at a time, whose outcome is that of all who ask. */

enum { STOP_MS = 2 * 60 * 1000, PING_MS = 5 * 1000, SHIM_END_MS = 3 * 1000 };

static void containers_free(struct container **list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        container_free(list[i]);
    free(list);
}

/* Other failures show when the container is stopped. */
static int kill_if_running(struct container *c, struct error *err)
{
    if (container_state(c) != CONTAINER_RUNNING || shim_kill(c, SIGKILL, true, err) == 0 ||
        err->code != ERROR_DEADLINE)
        return 0;
    return error_wrap(err, "kill container %s", c->id);
}

static int stop_containers(struct sandbox *s, struct error *err)
{
    struct deadline by = deadline_in_ms(STOP_MS);
    size_t n;
    struct container **list = container_list(s->node, s, &n);
    int outcome = 0;

    /* All are killed before any is waited for, so that they end beside each other. */
    for (size_t i = 0; i < n && outcome == 0; i++)
        outcome = kill_if_running(list[i], err);
    for (size_t i = 0; i < n && outcome == 0; i++)
        outcome = container_stop(list[i], 0, &by, err);
    containers_free(list, n);
    return outcome;
}

static int stop_processes(struct sandbox *s, struct error *err)
{
    struct deadline by = deadline_in_ms(STOP_MS);

    if (stop_containers(s, err) < 0)
        return -1;
    return s->shim_lost ? 0 : shim_stop_sandbox(s, &by, err);
}

static bool shim_answers(struct sandbox *s)
{
    Containerd__Runtime__Sandbox__V1__PingRequest ping =
        CONTAINERD__RUNTIME__SANDBOX__V1__PING_REQUEST__INIT;
    struct deadline by = deadline_in_ms(PING_MS);
    struct error err;

    ping.sandbox_id = s->id;
    return shim_call(s, "containerd.runtime.sandbox.v1.Sandbox", "PingSandbox", &ping.base, &by,
                     &err) == 0 ||
           err.code != ERROR_DEADLINE;
}

/* A shim that does not answer would keep its pod for good. What it kept ends without it. */
static int end_without_shim(struct sandbox *s, struct error *err)
{
    struct deadline by = deadline_in_ms(SHIM_END_MS);

    log_warn("pod %s: its shim, %d, does not answer and is killed", s->name, s->shim_pid);
    syscall(SYS_pidfd_send_signal, s->shim_pidfd, SIGKILL, NULL, 0);
    if (deadline_wait(&by, s->shim_pidfd, POLLIN, err) < 0) {
        if (!dying_is(s->shim_pid))
            return error_wrap(err, "wait for the end of shim %d", s->shim_pid);
        log_warn("pod %s: a disk that does not answer keeps its shim from ending", s->name);
        s->shim_lost = true;
    }
    exit_monitor_shim_gone(s);
    return stop_processes(s, err);
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

static int stop(void *data, struct error *err)
{
    struct sandbox *s = data;

    if (stop_processes(s, err) < 0 && (err->code != ERROR_DEADLINE || s->shim_pidfd < 0 ||
                                       shim_answers(s) || end_without_shim(s, err) < 0))
        return -1;
    if (set_not_ready(s) && s->announced)
        notify_sandbox(s, RUNTIME__V1__CONTAINER_EVENT_TYPE__CONTAINER_STOPPED_EVENT);
    if (sandbox_network_detach(s, err) < 0)
        return -1;
    shim_shutdown(s);
    if (image_volume_release(s, err) < 0 || pod_files_unmount(s->dir, err) < 0)
        return -1;
    return sandbox_record_update(s, err);
}

int sandbox_stop(struct sandbox *s, const struct deadline *client, struct error *err)
{
    AUTO_FREE char *key = xasprintf("stop pod %s", s->id);

    return job_share(s->node->jobs, key, client, stop, s, err);
}

static int remove_containers(struct sandbox *s, struct error *err)
{
    struct deadline forever = DEADLINE_NONE;
    size_t n;
    struct container **list = container_list(s->node, s, &n);
    int outcome = 0;

    for (size_t i = 0; i < n && outcome == 0; i++)
        outcome = container_remove(list[i], &forever, err);
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

static int stop_and_remove(void *data, struct error *err)
{
    struct sandbox *s = data;
    struct deadline forever = DEADLINE_NONE;

    if (sandbox_stop(s, &forever, err) < 0 || remove_containers(s, err) < 0 ||
        pod_files_remove(s, err) < 0)
        return error_wrap(err, "remove pod %s", s->id);
    if (s->announced)
        notify_sandbox(s, RUNTIME__V1__CONTAINER_EVENT_TYPE__CONTAINER_DELETED_EVENT);
    if (sandbox_record_delete(s, err) < 0)
        return error_wrap(err, "remove pod %s", s->id);
    if (take_from_map(s)) {
        sandbox_selinux_release(s);
        node_release_name(s->node, s->name);
    }
    return 0;
}

int sandbox_remove(struct sandbox *s, const struct deadline *client, struct error *err)
{
    AUTO_FREE char *key = xasprintf("remove pod %s", s->id);

    return job_share(s->node->jobs, key, client, stop_and_remove, s, err);
}

// SPDX-License-Identifier: Apache-2.0
#include "pod/recovery.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/dir.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "os/dying.h"
#include "pod/container_record.h"
#include "pod/container_selinux.h"
#include "pod/exit_monitor.h"
#include "pod/image_volume.h"
#include "pod/left_network.h"
#include "pod/pod_files.h"
#include "pod/sandbox_record.h"
#include "pod/sandbox_selinux.h"
#include "pod/shim.h"

enum {
    GONE_STATUS = 255,
    KILLED_STATUS = 137,
    SHIM_MS = 60 * 1000,
    START_MS = 3 * 60 * 1000,
    LOOK_MS = 20
};

/* --- sandboxes --- */

static bool shim_lives(struct sandbox *s)
{
    bool same;
    int fd;

    if (s->shim_pid <= 0)
        return false;
    fd = (int)syscall(SYS_pidfd_open, s->shim_pid, 0);
    if (fd < 0)
        return false;
    /* The descriptor first, then the look: so the process looked at is the one held. One that has
     * ended and was not waited for still has both, and its descriptor is readable. */
    same = shim_start_time(s->shim_pid) == s->shim_start;
    s->shim_lost = same && dying_is(s->shim_pid);
    if (!same || s->shim_lost || poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 0) != 0) {
        fd_close(&fd);
        return false;
    }
    s->shim_pidfd = fd;
    return true;
}

static void put_sandbox(struct sandbox *taken)
{
    struct node *n = taken->node;

    taken->announced = true;
    taken->network_closed = sandbox_on_host_network(taken);
    sandbox_selinux_hold(taken);
    image_volume_recover(taken);
    if (shim_lives(taken))
        exit_monitor_watch_shim(taken);
    else
        taken->state = SANDBOX_NOTREADY;
    map_put(&n->sandboxes, taken->id, taken);
    map_put(&n->names, taken->name, xstrdup(taken->id));
}

/* --- containers --- */

static void put_container(struct container *taken)
{
    struct node *n = taken->sandbox->node;

    if (taken->status.started_ns && !taken->status.finished_ns) {
        taken->stopped_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (taken->stopped_fd < 0)
            abort();
    }
    container_selinux_hold(taken);
    image_store_hold(n->images, &taken->layers);
    map_put(&n->containers, taken->id, taken);
    map_put(&n->names, taken->name, xstrdup(taken->id));
}

static bool has_shim(const struct container *c)
{
    return c->sandbox->shim_pidfd >= 0;
}

static void set_gone(struct container_status *status, const void *data)
{
    bool rebooted = *(const bool *)data;

    status->finished_ns = clock_now_ns();
    status->exit_code = rebooted ? GONE_STATUS : KILLED_STATUS;
    status->pid = 0;
    container_set_text(&status->reason, rebooted ? "Unknown" : "Error");
    container_set_text(&status->message, rebooted ? "the node was started anew"
                                                  : "it was killed because its shim had ended");
}

/* What ended while nobody looked. A container without its shim counts as ended from now on;
 * recovery_finish() makes sure of it. */
static void settle(struct container *c)
{
    bool rebooted = c->sandbox->shim_pid == 0;
    enum container_state state;
    struct error err;

    exit_monitor_check(c);
    state = container_state(c);
    if ((state != CONTAINER_RUNNING && state != CONTAINER_UNKNOWN) || has_shim(c))
        return;
    c->unknown = false;
    if (container_change_status(c, set_gone, &rebooted, &err) < 0)
        log_error("container %s: %s", c->id, err.text);
    exit_monitor_release(c);
}

/* --- starts that berthd did not live to answer --- */

/* Before the first request: until it is known what became of an earlier start, nobody else may
 * start or remove the container. */
static void claim_start(struct container *c)
{
    c->interrupted = c->recovering = has_shim(c) && container_state(c) == CONTAINER_CREATED;
    if (c->interrupted)
        c->work = CONTAINER_STARTING;
}

/* Not so for starts of this berthd, which finish themselves. */
static bool was_interrupted(struct container *c)
{
    bool interrupted;

    pthread_mutex_lock(&c->sandbox->node->lock);
    interrupted = c->interrupted;
    c->interrupted = false;
    pthread_mutex_unlock(&c->sandbox->node->lock);
    return interrupted;
}

static void set_running(struct container_status *status, const void *data)
{
    status->started_ns = clock_now_ns();
    status->pid = *(const pid_t *)data;
}

/* The task runs: so does the container. It was only created: it can be started again. */
static int adopt(struct container *c, struct error *err)
{
    struct deadline by = deadline_in_ms(SHIM_MS);
    bool runs;
    pid_t pid;

    if (shim_state(c, &by, &runs, &pid, err) < 0)
        return -1;
    if (!runs)
        return shim_delete(c, &by, err);
    if (container_open_latch(c, err) < 0)
        return -1;
    return container_change_status(c, set_running, &pid, err);
}

/* The shim may still be at it, creating or starting. */
static void finish_start(void *data)
{
    AUTO(container) *c = data;
    struct deadline by = deadline_in_ms(START_MS);
    struct error err, late;

    while (adopt(c, &err) < 0) {
        if (err.code == ERROR_NOT_FOUND || err.code == ERROR_UNAVAILABLE)
            break; /* nothing became of it */
        if (err.code != ERROR_PRECONDITION || deadline_check(&by, &late) < 0) {
            log_warn("container %s: what became of its start: %s", c->id, err.text);
            break;
        }
        poll(NULL, 0, LOOK_MS);
    }
    /* Its end comes first: who starts it as soon as it may would start it a second time. */
    exit_monitor_check_claimed(c);
    container_unclaim(c);
    exit_monitor_check(c);
    /* When its shim was found ended, it may not have been told to run yet. */
    if (!sandbox_has_shim(c->sandbox))
        exit_monitor_shim_gone(c->sandbox);
}

/* --- what belongs to nobody --- */

/* Notes what is in parent, named by an id which map does not know; with a dot in front it was not
 * finished. Nothing new is made before this has ended. */
static void note_leftovers(struct node *n, const char *parent, const struct map *map)
{
    AUTO_CLOSEDIR DIR *dir = opendir(parent);

    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        const char *id = entry->d_name + (entry->d_name[0] == '.');

        if (id_is_valid(id) && !map_find(map, id))
            strv_addf(&n->leftovers, "%s/%s", parent, entry->d_name);
    }
}

static void remove_leftover(const char *path)
{
    struct error err;

    log_info("%s belongs to nothing that is known and is removed", path);
    if (pod_files_unmount(path, &err) < 0)
        log_warn("%s", err.text);
    if (file_remove_tree(AT_FDCWD, path, &err) < 0)
        log_warn("%s", err.text);
}

int recovery_load(struct node *n, struct error *err)
{
    AUTO_FREE char *pods = xasprintf("%s/pods", n->state);
    AUTO_FREE char *containers = xasprintf("%s/containers", n->root);
    AUTO_FREE char *exits = xasprintf("%s/exits", n->state);
    size_t count;

    if (sandbox_record_load(n, put_sandbox, err) < 0 ||
        container_record_load(n, put_container, err) < 0)
        return -1;
    AUTO_FREE struct container **list = container_list(n, NULL, &count);
    for (size_t i = 0; i < count; i++) {
        settle(list[i]);
        claim_start(list[i]);
        container_free(list[i]);
    }
    note_leftovers(n, pods, &n->sandboxes);
    note_leftovers(n, containers, &n->containers);
    note_leftovers(n, exits, &n->containers);
    return 0;
}

void recovery_finish(struct node *n)
{
    size_t count;
    AUTO_FREE struct container **list = container_list(n, NULL, &count);
    AUTO_FREE struct sandbox **pods = NULL;

    /* Beside each other: one shim that does not answer holds up its own pod. */
    for (size_t i = 0; i < count; i++) {
        if (was_interrupted(list[i]))
            pool_submit(n->pool, finish_start, TAKE(list[i]));
        container_free(list[i]);
    }
    pods = sandbox_list(n, &count);
    for (size_t i = 0; i < count; i++) {
        if (pods[i]->shim_pidfd < 0)
            exit_monitor_shim_gone(pods[i]);
        sandbox_free(pods[i]);
    }
    for (size_t i = 0; i < n->leftovers.len; i++)
        remove_leftover(n->leftovers.items[i]);
    strv_fini(&n->leftovers);
    image_store_collect(n->images);
    left_network_retry(n);
}

// SPDX-License-Identifier: Apache-2.0
#include "pod/exit_monitor.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/exit_record.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "os/cgroup.h"
#include "os/cgroup_end.h"
#include "os/process.h"
#include "os/stray.h"
#include "pod/notify.h"
#include "pod/sandbox_record.h"

enum { DELETE_MS = 30 * 1000, KILLED_STATUS = 137 };

void exit_monitor_release(struct container *c)
{
    uint64_t one = 1;

    if (c->stopped_fd >= 0 && write(c->stopped_fd, &one, sizeof one) < 0)
        log_warn("container %s: its latch is full", c->id);
}

/* --- containers --- */

struct ending {
    const struct exit_record *record;
    bool *was_running; /* set when this is the first to tell of it */
};

static void set_exited(struct container_status *status, const void *data)
{
    const struct ending *ending = data;
    const struct exit_record *record = ending->record;

    *ending->was_running = !status->finished_ns;
    if (status->finished_ns)
        return;
    /* berthd may not have lived to note the start, or have noted it late. */
    if (!status->started_ns || status->started_ns > record->finished_ns)
        status->started_ns = record->finished_ns;
    status->finished_ns = record->finished_ns;
    status->exit_code = record->status;
    status->pid = 0;
    if (record->oom_killed)
        container_set_text(&status->reason, "OOMKilled");
    else
        container_set_text(&status->reason, record->status ? "Error" : "Completed");
}

/* What the database has no room for is known from the exit record, which then stays. */
static void publish(struct container *c, const struct exit_record *record)
{
    struct node *n = c->sandbox->node;
    bool was_running;
    struct ending ending = {record, &was_running};
    struct error err;

    if (container_tell_status(c, set_exited, &ending, &err) == 0)
        unlinkat(n->exits_fd, c->id, 0);
    else
        log_error("container %s has ended with %d, which could not be recorded: %s", c->id,
                  record->status, err.text);
    pthread_mutex_lock(&n->lock);
    c->unknown = false;
    pthread_mutex_unlock(&n->lock);
    exit_monitor_release(c);
    if (was_running)
        notify_container(c, RUNTIME__V1__CONTAINER_EVENT_TYPE__CONTAINER_STOPPED_EVENT);
}

void exit_monitor_check(struct container *c)
{
    struct node *n = c->sandbox->node;
    bool starting;

    pthread_mutex_lock(&n->lock);
    starting = c->work == CONTAINER_STARTING;
    pthread_mutex_unlock(&n->lock);
    if (!starting)
        exit_monitor_check_claimed(c);
}

void exit_monitor_check_claimed(struct container *c)
{
    struct node *n = c->sandbox->node;
    struct exit_record record;
    struct error err;

    if (exit_record_load(n->exits_fd, c->id, &record, &err) == 0)
        publish(c, &record);
    else if (err.code != ERROR_NOT_FOUND)
        log_error("container %s: %s", c->id, err.text);
}

static void check_job(void *data)
{
    exit_monitor_check(data);
    container_free(data);
}

static void look_at(struct node *n, const char *name)
{
    struct container *c;

    if (name[0] == '.')
        return;
    pthread_mutex_lock(&n->lock);
    c = map_find(&n->containers, name);
    if (c)
        container_ref(c);
    pthread_mutex_unlock(&n->lock);
    if (c)
        pool_submit(n->pool, check_job, c);
    else if (id_is_valid(name)) /* it was removed while its shim hung */
        unlinkat(n->exits_fd, name, 0);
}

/* Words were lost: look at everybody. */
static void look_at_all(struct node *n)
{
    size_t count;
    AUTO_FREE struct container **list = container_list(n, NULL, &count);

    for (size_t i = 0; i < count; i++)
        pool_submit(n->pool, check_job, list[i]);
}

static int inotify_fd = -1;

static void on_exits(void *data, uint32_t events)
{
    _Alignas(struct inotify_event) char words[16 * (sizeof(struct inotify_event) + NAME_MAX + 1)];
    ssize_t len;

    (void)events;
    while ((len = read(inotify_fd, words, sizeof words)) > 0) {
        for (char *at = words; at < words + len;) {
            const struct inotify_event *word = (const void *)at;

            if (word->mask & IN_Q_OVERFLOW)
                look_at_all(data);
            else if (word->len)
                look_at(data, word->name);
            at += sizeof *word + word->len;
        }
    }
}

int exit_monitor_start(struct node *n, struct error *err)
{
    AUTO_FREE char *path = xasprintf("%s/exits", n->state);
    AUTO_CLOSE int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

    if (fd < 0 || inotify_add_watch(fd, path, IN_MOVED_TO | IN_ONLYDIR) < 0)
        return error_errno(err, errno, "watch %s", path);
    if (!loop_add(n->loop, fd, EPOLLIN, on_exits, n, err))
        return -1;
    inotify_fd = fd_take(&fd);
    return 0;
}

/* --- shims --- */

static char *runtime_folder(const struct container *c)
{
    return xasprintf("%s/%s", c->sandbox->runtime->root, c->id);
}

static void delete_by_runtime(struct container *c)
{
    const struct node_runtime *r = c->sandbox->runtime;
    const char *const argv[] = {r->path, "--root", r->root, "delete", "--force", c->id, NULL};
    struct process_spec spec = PROCESS_SPEC(argv);
    struct deadline by = deadline_in_ms(DELETE_MS);
    AUTO_FINI(buf) words = BUF(4096);
    struct process_io io = {.err_out = &words};
    struct error err;
    int status;

    if (process_run(&spec, &io, &by, &status, &err) < 0)
        log_warn("container %s has lost its shim: %s", c->id, err.text);
    else if (status != 0)
        log_debug("container %s has lost its shim: %s delete: %s", c->id, r->path,
                  words.len ? words.data : "");
}

/* First, or they make anew what is being removed. */
static void end_strays(const struct container *c)
{
    if (!stray_end(c->sandbox->runtime->root, c->id))
        log_warn("container %s has lost its shim, and a helper of its OCI runtime does not end",
                 c->id);
}

void exit_monitor_end_orphan(struct container *c)
{
    AUTO_FREE char *kept = runtime_folder(c), *group = cgroup_path_of(c->cgroups_path);
    struct deadline by = deadline_in_ms(DELETE_MS);
    struct error err;

    end_strays(c);
    if (file_exists(kept) && *c->sandbox->runtime->path)
        delete_by_runtime(c);
    /* A runtime that ended with its shim, in the middle of its work, may know nothing of this. */
    if (cgroup_end(group, &by, &err) < 0)
        log_warn("container %s has lost its shim: %s", c->id, err.text);
}

static bool was_started(struct container *c)
{
    bool started;

    pthread_mutex_lock(&c->sandbox->node->lock);
    started = c->status.started_ns != 0;
    pthread_mutex_unlock(&c->sandbox->node->lock);
    return started;
}

/* Ends it and tells so, if it ran. */
static void bury(struct container *c)
{
    struct exit_record record = {.status = KILLED_STATUS};
    struct error err;

    exit_monitor_end_orphan(c);
    if (exit_record_load(c->sandbox->node->exits_fd, c->id, &record, &err) < 0)
        record = (struct exit_record){.status = KILLED_STATUS, .finished_ns = clock_now_ns()};
    if (was_started(c))
        publish(c, &record);
}

/* What was never seen to start may yet be starting: nobody lived to hear of it, or who did took the
 * start for failed before the shim's end showed. The others have ended, unless the runtime still
 * knows them, whatever our record says. */
static bool must_end(struct container *c)
{
    enum container_state state = container_state(c);
    AUTO_FREE char *kept = runtime_folder(c);

    return !was_started(c) || state == CONTAINER_RUNNING || state == CONTAINER_UNKNOWN ||
           file_exists(kept);
}

void exit_monitor_shim_gone(struct sandbox *s)
{
    size_t n;
    AUTO_FREE struct container **list = container_list(s->node, s, &n);
    bool was_ready;
    struct error err;

    pthread_mutex_lock(&s->node->lock);
    was_ready = s->state == SANDBOX_READY;
    if (was_ready)
        s->state = SANDBOX_NOTREADY;
    pthread_mutex_unlock(&s->node->lock);
    for (size_t i = 0; i < n; i++) {
        if (must_end(list[i]))
            bury(list[i]);
        container_free(list[i]);
    }
    if (!was_ready)
        return;
    log_warn("pod %s: its shim has ended, so the pod has", s->name);
    if (sandbox_record_update(s, &err) < 0)
        log_error("pod %s: %s", s->id, err.text);
    notify_sandbox(s, RUNTIME__V1__CONTAINER_EVENT_TYPE__CONTAINER_STOPPED_EVENT);
}

static void shim_gone_job(void *data)
{
    struct sandbox *s = data;
    siginfo_t info;

    /* A shim of an earlier berthd is not our child: then there is nothing to reap. */
    waitid((idtype_t)P_PIDFD, (id_t)s->shim_pidfd, &info, WEXITED | WNOHANG);
    exit_monitor_shim_gone(s);
    sandbox_free(s);
}

static void on_shim_end(void *data, uint32_t events)
{
    struct sandbox *s = data;

    (void)events;
    loop_remove(s->shim_watch);
    s->shim_watch = NULL;
    pool_submit(s->node->pool, shim_gone_job, s);
}

static void watch(void *data)
{
    struct sandbox *s = data;
    struct error err;

    s->shim_watch = loop_add(s->node->loop, s->shim_pidfd, EPOLLIN, on_shim_end, s, &err);
    if (!s->shim_watch) {
        log_error("pod %s: its shim cannot be watched: %s", s->id, err.text);
        sandbox_free(s);
    }
}

void exit_monitor_watch_shim(struct sandbox *s)
{
    loop_post(s->node->loop, watch, sandbox_ref(s));
}

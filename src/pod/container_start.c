// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "pod/container.h"
#include "pod/container_bundle.h"
#include "pod/exit_monitor.h"
#include "pod/notify.h"
#include "pod/shim.h"
#include "pod/stage.h"

/* StartContainer, §9.2: CREATED becomes RUNNING, or EXITED with StartError. What fails before the
 * claim changes nothing; what fails after it ends the container for good. */

enum { START_MS = 2 * 60 * 1000, DELETE_MS = 60 * 1000, START_ERROR_STATUS = 128 };

struct started {
    int64_t at_ns;
    pid_t pid;
};

static void set_started(struct container_status *status, const void *data)
{
    const struct started *started = data;

    status->started_ns = started->at_ns;
    status->pid = started->pid;
}

/* Whatever came of it, if anything. Deletion has a deadline of its own: the start's may be what has
 * failed. */
static void delete_task(struct container *c)
{
    struct deadline by = deadline_in_ms(DELETE_MS);
    struct error err;
    int status;

    if (shim_delete(c, &by, &err) == 0 || err.code == ERROR_NOT_FOUND ||
        err.code == ERROR_UNAVAILABLE)
        return;
    if (err.code == ERROR_PRECONDITION && shim_kill(c, SIGKILL, true, &err) == 0 &&
        shim_wait(c, "", &by, &status, &err) == 0 && shim_delete(c, &by, &err) == 0)
        return;
    log_warn("container %s could not be started and not be deleted either: %s", c->id, err.text);
}

static void learn_seccomp(struct container *c)
{
    const struct node_runtime *r = c->sandbox->runtime;
    AUTO_FREE char *path = xasprintf("%s/%s/seccomp.bpf", r->root, c->id);

    if (c->seccomp && r->seccomp)
        seccomp_cache_learn(r->seccomp, c->seccomp, path);
    free(TAKE(c->seccomp));
}

/* Plugins are asked before this (NRI StartContainer): nothing comes between the making of the
 * container and its start, which are one run of the OCI runtime unless systemd has a part in it.
 * The shim opens the log and gives the process its pipes. */
static int run(struct container *c, const struct deadline *by, struct stage *t, struct error *err)
{
    /* The time is taken before: a short process has ended when the answer is here. */
    struct started started = {.at_ns = clock_now_ns()};

    if (stage_end(t, "run", shim_run(c, by, &started.pid, err)) < 0)
        return -1;
    learn_seccomp(c);
    return stage_end(t, "record", container_change_status(c, set_started, &started, err));
}

static int start_claimed(struct container *c, struct error *err)
{
    struct deadline by = deadline_in_ms(START_MS);
    struct stage t = stage_begin();
    pid_t target; /* must still run */

    cgroup_attach_hasten(&c->sandbox->node->cgroup_attach);
    if (sandbox_check_usable(c->sandbox, err) < 0 || container_target_pid(c, &target, err) < 0 ||
        container_bundle_reset(c, err) < 0 || container_open_latch(c, err) < 0)
        return -1;
    /* A container made from a checkpoint is restored here instead. */
    if (run(c, &by, &t, err) < 0) {
        delete_task(c);
        return -1;
    }
    stage_log(&t, "StartContainer", c->id);
    return 0;
}

static void set_failed(struct container_status *status, const void *data)
{
    const struct error *why = data;

    status->pid = 0;
    status->finished_ns = clock_now_ns();
    status->exit_code = START_ERROR_STATUS;
    container_set_text(&status->reason, "StartError");
    container_set_text(&status->message, why->text);
}

/* Its run, or what that has left, may go on, as nobody has said that it does not. The connections
 * of a shim that is ending break before its pidfd tells of the end. */
static bool may_go_on(struct container *c, const struct error *err)
{
    return err->code == ERROR_UNAVAILABLE || err->code == ERROR_DEADLINE ||
           !sandbox_has_shim(c->sandbox);
}

/* EXITED with the reason, and only then no longer starting. */
static int fail_start(struct container *c, struct error *err)
{
    struct error recording;

    error_wrap(err, "start container %s", c->config->metadata->name);
    if (may_go_on(c, err))
        exit_monitor_end_orphan(c);
    if (container_change_status(c, set_failed, err, &recording) < 0)
        log_error("container %s: its failed start could not be recorded: %s", c->id,
                  recording.text);
    unlinkat(c->sandbox->node->exits_fd, c->id, 0);
    exit_monitor_release(c);
    container_unclaim(c);
    return -1;
}

int container_start(struct container *c, struct error *err)
{
    if (container_claim(c, CONTAINER_STARTING, err) < 0)
        return -1;
    if (start_claimed(c, err) < 0)
        return fail_start(c, err);
    notify_container(c, RUNTIME__V1__CONTAINER_EVENT_TYPE__CONTAINER_STARTED_EVENT);
    container_unclaim(c);
    /* It, or its shim, may have ended already; while it was starting nobody else looked. */
    exit_monitor_check(c);
    if (!sandbox_has_shim(c->sandbox))
        exit_monitor_shim_gone(c->sandbox);
    return 0;
}

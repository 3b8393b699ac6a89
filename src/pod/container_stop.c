// SPDX-License-Identifier: Apache-2.0
#include <poll.h>
#include <signal.h>

#include "base/log.h"
#include "os/cgroup.h"
#include "os/cgroup_stuck.h"
#include "os/job.h"
#include "pod/container.h"
#include "pod/shim.h"
#include "pod/stop_signal.h"

/* StopContainer, §9.3. The signal that asks is sent once in a container's life. Each call waits its
 * own timeout and then kills, which ends the wait of the others too. A client that leaves while it
 * waits does not make us kill.
 *
 * The kill is a job: once begun it goes on without its client, and who asks again joins it. So what
 * does not die, however often it is asked for, costs one thread, and the end is seen when it comes.
 */

enum { PATIENCE_MS = 5 * 1000, KILL_WAIT_MS = 2 * 60 * 1000, TIMEOUT_MAX_S = 365 * 24 * 3600 };

/* What has ended meanwhile needs no signal, and a shim that is gone has its containers ended by
 * the exit monitor. */
static int send(struct container *c, int signal, bool all, struct error *err)
{
    if (shim_kill(c, signal, all, err) == 0 || err->code == ERROR_NOT_FOUND)
        return 0;
    if (err->code == ERROR_UNAVAILABLE)
        return 0;
    return error_wrap(err, "send signal %d", signal);
}

static bool set_signalled(struct container *c, bool signalled)
{
    bool was;

    pthread_mutex_lock(&c->sandbox->node->lock);
    was = c->signalled;
    c->signalled = signalled;
    pthread_mutex_unlock(&c->sandbox->node->lock);
    return was;
}

/* A shim that did not answer in time may yet deliver it; one that refused never will. */
static int send_once(struct container *c, int signal, struct error *err)
{
    if (set_signalled(c, true) || send(c, signal, false, err) == 0)
        return 0;
    if (err->code != ERROR_DEADLINE)
        set_signalled(c, false);
    return -1;
}

static int ask(struct container *c, int64_t timeout_s, const struct deadline *client,
               struct error *err)
{
    int64_t ms = timeout_s < TIMEOUT_MAX_S ? timeout_s * 1000 : TIMEOUT_MAX_S * INT64_C(1000);
    struct deadline by = deadline_sooner(client, ms);
    struct error waiting, left;
    int signal;

    if (stop_signal_for(c, &signal, err) < 0 || send_once(c, signal, err) < 0)
        return -1;
    if (deadline_wait(&by, c->stopped_fd, POLLIN, &waiting) == 0)
        return 0;
    if (deadline_check(client, &left) < 0) {
        *err = left;
        return error_wrap(err, "wait for container %s to end", c->id);
    }
    return 0;
}

/* Nothing can be done about what does not die of SIGKILL, but it can be named. */
static char *name_stuck(struct container *c)
{
    AUTO_FREE char *group = cgroup_path_of(c->cgroups_path);
    char *stuck = cgroup_stuck(group);

    return stuck ? stuck : xstrdup("its shim does not tell of its end");
}

static int wait_for_end(struct container *c, struct error *err)
{
    struct deadline soon = deadline_in_ms(PATIENCE_MS), by = deadline_in_ms(KILL_WAIT_MS);
    AUTO_FREE char *stuck = NULL;

    if (deadline_wait(&soon, c->stopped_fd, POLLIN, err) == 0)
        return 0;
    stuck = name_stuck(c);
    log_warn("container %s does not end after SIGKILL: %s", c->id, stuck);
    if (deadline_wait(&by, c->stopped_fd, POLLIN, err) == 0)
        return 0;
    return error_wrap(err, "wait for container %s to end after SIGKILL: %s", c->id, stuck);
}

static int end(void *data, struct error *err)
{
    struct container *c = data;

    if (send(c, SIGKILL, true, err) < 0)
        return -1;
    return wait_for_end(c, err);
}

static bool runs(struct container *c)
{
    enum container_state state = container_state(c);

    return state == CONTAINER_RUNNING || state == CONTAINER_UNKNOWN;
}

int container_stop(struct container *c, int64_t timeout_s, const struct deadline *client,
                   struct error *err)
{
    AUTO_FREE char *key = xasprintf("end container %s", c->id);

    if (!runs(c))
        return 0;
    if (timeout_s > 0 && ask(c, timeout_s, client, err) < 0)
        return -1;
    if (!runs(c))
        return 0;
    return job_share(c->sandbox->node->jobs, key, client, end, c, err);
}

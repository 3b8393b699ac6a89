// SPDX-License-Identifier: Apache-2.0
#include <poll.h>
#include <signal.h>

#include "pod/container.h"
#include "pod/shim.h"
#include "pod/stop_signal.h"

/* StopContainer, §9.3. The signal that asks is sent once in a container's life; each call waits its
 * own timeout and then kills. A client that leaves while it waits does not make us kill. */

enum { KILL_WAIT_MS = 2 * 60 * 1000, TIMEOUT_MAX_S = 365 * 24 * 3600 };

/* True when this call is the one to send it. */
static bool claim_signal(struct container *c)
{
    bool mine;

    pthread_mutex_lock(&c->sandbox->node->lock);
    mine = !c->signalled;
    c->signalled = true;
    pthread_mutex_unlock(&c->sandbox->node->lock);
    return mine;
}

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

static int ask(struct container *c, int64_t timeout_s, const struct deadline *client,
               struct error *err)
{
    int64_t ms = timeout_s < TIMEOUT_MAX_S ? timeout_s * 1000 : TIMEOUT_MAX_S * INT64_C(1000);
    struct deadline by = deadline_sooner(client, ms);
    struct error waiting, left;
    int signal;

    if (stop_signal_for(c, &signal, err) < 0)
        return -1;
    if (claim_signal(c) && send(c, signal, false, err) < 0)
        return -1;
    if (deadline_wait(&by, c->stopped_fd, POLLIN, &waiting) == 0)
        return 0;
    if (deadline_check(client, &left) < 0) {
        *err = left;
        return error_wrap(err, "wait for container %s to end", c->id);
    }
    return 0;
}

static int end(struct container *c, const struct deadline *client, struct error *err)
{
    struct deadline by = deadline_sooner(client, KILL_WAIT_MS);

    if (send(c, SIGKILL, true, err) < 0)
        return -1;
    if (deadline_wait(&by, c->stopped_fd, POLLIN, err) < 0)
        return error_wrap(err, "wait for container %s to end after SIGKILL", c->id);
    return 0;
}

static bool runs(struct container *c)
{
    enum container_state state = container_state(c);

    return state == CONTAINER_RUNNING || state == CONTAINER_UNKNOWN;
}

int container_stop(struct container *c, int64_t timeout_s, const struct deadline *client,
                   struct error *err)
{
    if (!runs(c))
        return 0;
    if (timeout_s > 0 && ask(c, timeout_s, client, err) < 0)
        return -1;
    if (!runs(c))
        return 0;
    return end(c, client, err);
}

// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include "base/log.h"
#include "pod/container.h"
#include "pod/container_bundle.h"
#include "pod/container_record.h"
#include "pod/container_selinux.h"
#include "pod/exit_monitor.h"
#include "pod/notify.h"
#include "pod/shim.h"

/* RemoveContainer, §9.4. Refused while it starts or another removal is under way; one that runs is
 * killed first. Log files stay. */

enum { STOP_MS = 2 * 60 * 1000, DELETE_MS = 60 * 1000 };

/* True when this caller is the one who took it out of the map. */
static bool take_from_map(struct container *c)
{
    struct container *mine;

    pthread_mutex_lock(&c->sandbox->node->lock);
    mine = map_remove(&c->sandbox->node->containers, c->id);
    pthread_mutex_unlock(&c->sandbox->node->lock);
    container_free(mine);
    return mine != NULL;
}

/* The shim still knows it if it ever ran; one that is gone, or is going, may have left things
 * behind, and after this nobody would know whose they are. */
static void forget_task(struct container *c)
{
    struct deadline by = deadline_in_ms(DELETE_MS);
    struct error err;

    if (sandbox_has_shim(c->sandbox)) {
        if (shim_delete(c, &by, &err) == 0 || err.code == ERROR_NOT_FOUND)
            return;
        if (err.code != ERROR_UNAVAILABLE)
            log_warn("container %s: its shim would not forget it: %s", c->id, err.text);
    }
    exit_monitor_end_orphan(c);
}

static int remove_claimed(struct container *c, struct error *err)
{
    struct node *n = c->sandbox->node;

    forget_task(c);
    if (container_record_delete(c, err) < 0)
        return error_wrap(err, "remove container %s", c->id);
    container_bundle_remove(c);
    if (take_from_map(c)) {
        unlinkat(n->exits_fd, c->id, 0); /* who comes later belongs to nobody */
        container_selinux_release(c);
        image_store_release(n->images, &c->layers);
        node_release_name(n, c->name);
        notify_container(c, RUNTIME__V1__CONTAINER_EVENT_TYPE__CONTAINER_DELETED_EVENT);
    }
    return 0;
}

int container_remove(struct container *c, const struct deadline *client, struct error *err)
{
    struct deadline by = deadline_sooner(client, STOP_MS);

    if (container_stop(c, 0, &by, err) < 0 || container_claim(c, CONTAINER_REMOVING, err) < 0)
        return -1;
    if (remove_claimed(c, err) < 0) {
        container_unclaim(c);
        return -1;
    }
    return 0;
}

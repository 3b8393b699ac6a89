// SPDX-License-Identifier: Apache-2.0
#include "pod/container.h"

#include <errno.h>
#include <stdio.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/message.h"
#include "pod/container_record.h"

enum { RECOVERY_MS = 10 * 1000 };

struct container *container_new(struct sandbox *s, const char *id, const char *name,
                                Runtime__V1__ContainerConfig *taken_config)
{
    struct container *c = xcalloc(1, sizeof *c);

    c->refs = 1;
    c->sandbox = sandbox_ref(s);
    snprintf(c->id, sizeof c->id, "%s", id);
    c->name = xstrdup(name);
    c->config = taken_config;
    c->bundle = xasprintf("%s/c/%s", s->dir, id);
    c->dir = xasprintf("%s/containers/%s", s->node->root, id);
    c->stopped_fd = -1;
    pthread_mutex_init(&c->changing, NULL);
    pthread_mutex_init(&c->updating, NULL);
    return c;
}

struct container *container_ref(struct container *c)
{
    c->refs++;
    return c;
}

void container_status_fini(struct container_status *status)
{
    free(status->reason);
    free(status->message);
    *status = (struct container_status){0};
}

void container_free(struct container *c)
{
    if (!c || --c->refs > 0)
        return;
    message_free(&c->config->base);
    if (c->resources)
        message_free(&c->resources->base);
    container_status_fini(&c->status);
    oci_user_fini(&c->user);
    strv_fini(&c->layers);
    fd_close(&c->stopped_fd);
    pthread_mutex_destroy(&c->changing);
    pthread_mutex_destroy(&c->updating);
    sandbox_free(c->sandbox);
    free(c->name);
    free(c->image_id);
    free(c->image_ref);
    free(c->image_name);
    free(c->log_path);
    free(c->stop_signal);
    free(c->cgroups_path);
    free(c->bundle);
    free(c->dir);
    free(c->seccomp);
    free(c);
}

struct container *container_find(struct node *n, const char *id, struct error *err)
{
    struct container *c;

    pthread_mutex_lock(&n->lock);
    c = node_lookup(&n->containers, id, "container", err);
    if (c)
        container_ref(c);
    pthread_mutex_unlock(&n->lock);
    return c;
}

struct container **container_list(struct node *n, const struct sandbox *s, size_t *out_count)
{
    const struct map_slot *slot;
    struct container **list;
    size_t count = 0;

    pthread_mutex_lock(&n->lock);
    list = xcalloc(n->containers.len + 1, sizeof(struct container *));
    for (size_t at = 0; (slot = map_next(&n->containers, &at));) {
        struct container *c = slot->value;

        if (!s || c->sandbox == s)
            list[count++] = container_ref(c);
    }
    pthread_mutex_unlock(&n->lock);
    *out_count = count;
    return list;
}

void container_layer_paths(const struct container *c, struct strv *out)
{
    for (size_t i = 0; i < c->layers.len; i++) {
        AUTO_FREE char *path = image_store_layer_path(c->sandbox->node->images, c->layers.items[i]);

        strv_add(out, path);
    }
    if (out->len == 0)
        strv_addf(out, "%s/empty", c->sandbox->node->root);
}

Runtime__V1__NamespaceOption *container_namespaces(const struct container *c)
{
    if (!c->config->linux || !c->config->linux->security_context)
        return NULL;
    return c->config->linux->security_context->namespace_options;
}

bool container_owns_pids(const struct container *c)
{
    const Runtime__V1__NamespaceOption *o = container_namespaces(c);

    return o && o->pid == RUNTIME__V1__NAMESPACE_MODE__CONTAINER;
}

int container_target_pid(const struct container *c, pid_t *out, struct error *err)
{
    const Runtime__V1__NamespaceOption *o = container_namespaces(c);
    struct node *n = c->sandbox->node;
    pid_t pid = 0;

    *out = 0;
    if (!o || o->pid != RUNTIME__V1__NAMESPACE_MODE__TARGET)
        return 0;
    AUTO(container) *target = container_find(n, o->target_id, err);
    if (!target)
        return error_wrap(err, "namespace target");
    pthread_mutex_lock(&n->lock);
    if (target->sandbox == c->sandbox && container_state_locked(target) == CONTAINER_RUNNING)
        pid = target->status.pid;
    pthread_mutex_unlock(&n->lock);
    if (pid <= 0)
        return error_set(err, ERROR_UNKNOWN, "namespace target %s does not run in the same pod",
                         o->target_id);
    *out = pid;
    return 0;
}

enum container_state container_state_locked(const struct container *c)
{
    if (c->unknown)
        return CONTAINER_UNKNOWN;
    if (c->status.finished_ns)
        return CONTAINER_EXITED;
    return c->status.started_ns ? CONTAINER_RUNNING : CONTAINER_CREATED;
}

enum container_state container_state(struct container *c)
{
    enum container_state state;

    pthread_mutex_lock(&c->sandbox->node->lock);
    state = container_state_locked(c);
    pthread_mutex_unlock(&c->sandbox->node->lock);
    return state;
}

int container_check_running(struct container *c, struct error *err)
{
    enum container_state state = container_state(c);

    if (state != CONTAINER_RUNNING)
        return error_set(err, ERROR_UNKNOWN, "container is in %s state",
                         container_state_name(state));
    return 0;
}

/* Under the lock. */
static int check_claim(const struct container *c, enum container_work work, struct error *err)
{
    static const char *const names[] = {"idle", "starting", "removing"};
    enum container_state state = container_state_locked(c);

    if (work == CONTAINER_STARTING && state != CONTAINER_CREATED)
        return error_set(err, ERROR_UNKNOWN, "container is in %s state",
                         container_state_name(state));
    if (work == CONTAINER_REMOVING && (state == CONTAINER_RUNNING || state == CONTAINER_UNKNOWN))
        return error_set(err, ERROR_UNKNOWN, "container is still running, to remove first stop");
    if (c->work != CONTAINER_IDLE)
        return error_set(err, ERROR_UNKNOWN, "container is %sin %s state",
                         c->work == work ? "already " : "", names[c->work]);
    return 0;
}

/* Under the lock. The first clients of a new berthd come while it looks at what the earlier one has
 * left, and that is not their fault. */
static void wait_for_recovery(struct container *c)
{
    int64_t end_ns = clock_monotonic_ns() + RECOVERY_MS * CLOCK_NS_PER_MS;
    struct timespec end = {.tv_sec = end_ns / CLOCK_NS_PER_S, .tv_nsec = end_ns % CLOCK_NS_PER_S};
    struct node *n = c->sandbox->node;

    while (c->recovering && pthread_cond_timedwait(&n->recovered, &n->lock, &end) == 0)
        continue;
}

int container_claim(struct container *c, enum container_work work, struct error *err)
{
    int outcome;

    pthread_mutex_lock(&c->sandbox->node->lock);
    wait_for_recovery(c);
    outcome = check_claim(c, work, err);
    if (outcome == 0)
        c->work = work;
    pthread_mutex_unlock(&c->sandbox->node->lock);
    return outcome;
}

void container_unclaim(struct container *c)
{
    pthread_mutex_lock(&c->sandbox->node->lock);
    c->work = CONTAINER_IDLE;
    if (c->recovering)
        pthread_cond_broadcast(&c->sandbox->node->recovered);
    c->recovering = false;
    pthread_mutex_unlock(&c->sandbox->node->lock);
}

const char *container_state_name(enum container_state state)
{
    static const char *const names[] = {"CONTAINER_CREATED", "CONTAINER_RUNNING",
                                        "CONTAINER_EXITED", "CONTAINER_UNKNOWN"};

    return names[state];
}

int container_open_latch(struct container *c, struct error *err)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (fd < 0)
        return error_errno(err, errno, "make a latch");
    pthread_mutex_lock(&c->sandbox->node->lock);
    fd_close(&c->stopped_fd);
    c->stopped_fd = fd;
    pthread_mutex_unlock(&c->sandbox->node->lock);
    return 0;
}

static char *copy_text(const char *text)
{
    return text ? xstrdup(text) : NULL;
}

void container_set_text(char **text, const char *value)
{
    free(*text);
    *text = copy_text(value);
}

static struct container_status copy_status(struct container *c)
{
    struct container_status copy;

    pthread_mutex_lock(&c->sandbox->node->lock);
    copy = c->status;
    copy.reason = copy_text(copy.reason);
    copy.message = copy_text(copy.message);
    pthread_mutex_unlock(&c->sandbox->node->lock);
    return copy;
}

static int change_status(struct container *c, container_change *change, const void *data,
                         bool in_any_case, struct error *err)
{
    struct container_status next = copy_status(c), old;
    int outcome;

    change(&next, data);
    outcome = container_record_update(c, &next, err);
    if (outcome < 0 && !in_any_case) {
        container_status_fini(&next);
        return -1;
    }
    pthread_mutex_lock(&c->sandbox->node->lock);
    old = c->status;
    c->status = next;
    pthread_mutex_unlock(&c->sandbox->node->lock);
    container_status_fini(&old);
    return outcome;
}

int container_change_status(struct container *c, container_change *change, const void *data,
                            struct error *err)
{
    int outcome;

    pthread_mutex_lock(&c->changing);
    outcome = change_status(c, change, data, false, err);
    pthread_mutex_unlock(&c->changing);
    return outcome;
}

int container_tell_status(struct container *c, container_change *change, const void *data,
                          struct error *err)
{
    int outcome;

    pthread_mutex_lock(&c->changing);
    outcome = change_status(c, change, data, true, err);
    pthread_mutex_unlock(&c->changing);
    return outcome;
}

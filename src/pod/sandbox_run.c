// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/message.h"
#include "os/idmapped.h"
#include "pod/exit_monitor.h"
#include "pod/notify.h"
#include "pod/pod_files.h"
#include "pod/sandbox.h"
#include "pod/sandbox_check.h"
#include "pod/sandbox_network.h"
#include "pod/sandbox_record.h"
#include "pod/sandbox_selinux.h"
#include "pod/shim.h"
#include "pod/stage.h"

/* RunPodSandbox, §8.1 of the behaviour specification. The record comes first, so that whatever
 * happens there is something to clean up by; the undo of a half-made pod is what StopPodSandbox and
 * RemovePodSandbox do, since each of their steps passes over what is not there. */

enum { SHIM_MS = 60 * 1000, NETWORK_MS = 4 * 60 * 1000 };

static char *name_of(const Runtime__V1__PodSandboxConfig *config)
{
    const Runtime__V1__PodSandboxMetadata *m = config->metadata;

    return xasprintf("%s_%s_%s_%u", m->name, m->namespace_, m->uid, m->attempt);
}

/* Clients know a user namespace that cannot be as a plain error. */
static int check_user_namespace(const struct node *n, const Runtime__V1__PodSandboxConfig *config,
                                struct error *err)
{
    struct idmap ids;

    if (sandbox_ids(config, &ids, err) < 0) {
        err->code = ERROR_UNKNOWN;
        return -1;
    }
    if (idmap_is_set(&ids) && !oci_host_kernel_is(&n->host, NODE_USERNS_KERNEL))
        return error_set(err, ERROR_UNKNOWN,
                         "userns_options: the kernel is %u.%u, and before 5.19 a root file system "
                         "cannot have other ids",
                         n->host.kernel_major, n->host.kernel_minor);
    return 0;
}

static int check(const struct node *n, const Runtime__V1__PodSandboxConfig *config,
                 struct error *err)
{
    if (sandbox_check(config, err) < 0)
        return -1;
    return check_user_namespace(n, config, err);
}

static void set_ready(struct sandbox *s)
{
    pthread_mutex_lock(&s->node->lock);
    s->state = SANDBOX_READY;
    pthread_mutex_unlock(&s->node->lock);
}

static int check_isolation(struct sandbox *s, struct error *err)
{
    if (sandbox_on_host_network(s) && *s->config->hostname)
        return error_set(err, ERROR_UNKNOWN,
                         "hostname \"%s\": a pod on the host's network has the host's name",
                         s->config->hostname);
    return 0;
}

/* The root file systems will be seen through the pod's user namespace. */
static int check_layers(struct sandbox *s, struct error *err)
{
    AUTO_FREE char *layers = xasprintf("%s/layers", s->node->root);
    AUTO_FREE char *userns = xasprintf("%s/ns/user", s->dir);
    AUTO_CLOSE int tree = -1;

    if (!idmap_is_set(&s->ids) ||
        idmapped_open(layers, userns, IDMAPPED_READ_ONLY, &tree, err) == 0)
        return 0;
    return error_wrap(err, "userns_options");
}

static int make(struct sandbox *s, struct stage *t, struct error *err)
{
    struct deadline by = deadline_in_ms(SHIM_MS), network_by = deadline_in_ms(NETWORK_MS);

    /* On the host's network its first container starts before that is done. */
    cgroup_attach_hasten(&s->node->cgroup_attach);
    if (check_isolation(s, err) < 0 || stage_end(t, "files", pod_files_create(s, err)) < 0 ||
        stage_end(t, "spawn", shim_start(s, err)) < 0)
        return -1;
    exit_monitor_watch_shim(s);
    if (stage_end(t, "record", sandbox_record_update(s, err)) < 0 ||
        stage_end(t, "namespaces", shim_create_sandbox(s, &by, err)) < 0 ||
        check_layers(s, err) < 0 ||
        stage_end(t, "network", sandbox_network_attach(s, &network_by, err)) < 0)
        return -1;
    set_ready(s);
    /* The end of a shim is seen where a pod is ready; this one was not yet. */
    if (!sandbox_has_shim(s))
        return error_set(err, ERROR_UNKNOWN, "the pod's shim has ended");
    return stage_end(t, "record", sandbox_record_update(s, err));
}

static void put_in_map(struct sandbox *s)
{
    pthread_mutex_lock(&s->node->lock);
    map_put(&s->node->sandboxes, s->id, sandbox_ref(s));
    pthread_mutex_unlock(&s->node->lock);
}

/* Undoes a half-made pod. If that fails too, the pod stays listed, as NOTREADY, for the client to
 * remove, and keeps its name. */
static void undo(struct sandbox *s)
{
    struct deadline forever = DEADLINE_NONE;
    struct error err;

    put_in_map(s);
    pthread_mutex_lock(&s->node->lock);
    s->state = SANDBOX_UNKNOWN;
    pthread_mutex_unlock(&s->node->lock);
    if (sandbox_remove(s, &forever, &err) < 0)
        log_error("pod %s stays until it is removed: it could not be undone: %s", s->name,
                  err.text);
}

static struct sandbox *prepare(struct node *n, const Runtime__V1__RunPodSandboxRequest *request,
                               const char *name, struct stage *t, struct error *err)
{
    const char *handler = sandbox_check_handler(request, err);
    const struct node_runtime *runtime = handler ? node_runtime_for(n, handler, err) : NULL;
    char id[ID_SIZE];
    struct sandbox *s;

    if (!runtime)
        return NULL;
    id_new(id);
    if (node_reserve_name(n, name, id, err) < 0)
        return NULL;
    s = sandbox_new(n, id, name,
                    (Runtime__V1__PodSandboxConfig *)message_copy(&request->config->base));
    free(s->handler);
    s->handler = xstrdup(request->runtime_handler);
    s->runtime = runtime;
    s->created_ns = clock_now_ns();
    s->network_closed = true;
    if (sandbox_selinux_assign(s, err) < 0) {
        if (err->code == ERROR_INVALID) /* clients know a bad label as a plain error */
            err->code = ERROR_UNKNOWN;
        node_release_name(n, name);
        sandbox_free(s);
        return NULL;
    }
    if (stage_end(t, "record", sandbox_record_insert(s, err)) < 0) {
        sandbox_selinux_release(s);
        node_release_name(n, name);
        sandbox_free(s);
        return NULL;
    }
    return s;
}

/* The work of one request, to its end whether or not its client still waits. */
static int run(struct node *n, const Runtime__V1__RunPodSandboxRequest *request, const char *name,
               const struct deadline *client, char **out_id, struct error *err)
{
    struct stage t = stage_begin();
    AUTO(sandbox) *s = prepare(n, request, name, &t, err);
    struct error gone;

    if (!s)
        return -1;
    if (make(s, &t, err) < 0) {
        undo(s);
        return -1;
    }
    s->unclaimed = deadline_check(client, &gone) < 0;
    s->announced = true;
    put_in_map(s);
    notify_sandbox(s, RUNTIME__V1__CONTAINER_EVENT_TYPE__CONTAINER_CREATED_EVENT);
    notify_sandbox(s, RUNTIME__V1__CONTAINER_EVENT_TYPE__CONTAINER_STARTED_EVENT);
    *out_id = xstrdup(s->id);
    stage_end(&t, "tell", 0);
    stage_log(&t, "RunPodSandbox", s->id);
    return 0;
}

/* A pod that was made for a client that gave up goes to the client that asks again. */
static char *claim(struct node *n, const char *name)
{
    AUTO_FREE char *id = node_name_owner(n, name);
    struct sandbox *s;
    bool claimed;

    if (!id)
        return NULL;
    pthread_mutex_lock(&n->lock);
    s = map_find(&n->sandboxes, id);
    claimed = s && s->unclaimed && s->state == SANDBOX_READY;
    if (claimed)
        s->unclaimed = false;
    pthread_mutex_unlock(&n->lock);
    return claimed ? TAKE(id) : NULL;
}

int sandbox_run(struct node *n, const Runtime__V1__RunPodSandboxRequest *request,
                const struct deadline *client, char **out_id, struct error *err)
{
    AUTO_FREE char *name = NULL, *key = NULL;
    struct job *job;
    int role;

    if (check(n, request->config, err) < 0)
        return -1;
    name = name_of(request->config);
    key = xasprintf("run pod %s", name);
    role = job_enter(n->jobs, key, client, true, &job, out_id, err);
    if (role < 0)
        return error_wrap(err, "run pod %s", name);
    if (role == JOB_JOINED)
        return 0;
    *out_id = claim(n, name);
    if (!*out_id && run(n, request, name, client, out_id, err) < 0) {
        job_leave(job, NULL, err);
        return error_wrap(err, "run pod %s", name);
    }
    job_leave(job, *out_id, NULL);
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/message.h"
#include "image/rootfs.h"
#include "oci/spec.h"
#include "pod/container.h"
#include "pod/container_bundle.h"
#include "pod/container_record.h"
#include "pod/container_selinux.h"
#include "pod/image_volume.h"
#include "pod/notify.h"
#include "pod/stage.h"
#include "pod/stop_signal.h"

/* CreateContainer, §9.1. Everything is decided here and nothing runs: the OCI runtime is not called
 * before StartContainer. */

static char *name_of(const Runtime__V1__CreateContainerRequest *r)
{
    const Runtime__V1__PodSandboxMetadata *pod = r->sandbox_config->metadata;
    const Runtime__V1__ContainerMetadata *m = r->config->metadata;

    return xasprintf("%s_%s_%s_%s_%u", m->name, pod->name, pod->namespace_, pod->uid, m->attempt);
}

static int check(const Runtime__V1__CreateContainerRequest *r, struct error *err)
{
    if (!r->config || !r->config->metadata)
        return error_set(err, ERROR_UNKNOWN, "the container config has no metadata");
    if (!r->sandbox_config || !r->sandbox_config->metadata)
        return error_set(err, ERROR_UNKNOWN, "the sandbox config has no metadata");
    if (!r->config->image || !*r->config->image->image)
        return error_set(err, ERROR_UNKNOWN, "the container config names no image");
    if (r->config->stop_signal && !stop_signal_of_enum(r->config->stop_signal))
        return error_set(err, ERROR_INVALID, "stop_signal %d is no signal",
                         (int)r->config->stop_signal);
    return 0;
}

/* log_directory/log_path, or "" when either is missing: then there is no log. */
static char *join_log_path(const Runtime__V1__CreateContainerRequest *r, struct error *err)
{
    const char *folder = r->sandbox_config->log_directory, *path = r->config->log_path;
    AUTO_FINI(strv) parts = {0};

    if (!*folder || !*path)
        return xstrdup("");
    if (*folder != '/') {
        error_set(err, ERROR_INVALID, "log_directory \"%.200s\" is not absolute", folder);
        return NULL;
    }
    strv_add_split(&parts, path, '/');
    if (strv_contains(&parts, "..")) {
        error_set(err, ERROR_INVALID, "log_path \"%s\" leaves the log directory", path);
        return NULL;
    }
    return xasprintf("%s/%s", folder, path);
}

static int set_image(struct container *c, const struct image *image,
                     struct json_object *image_config, struct error *err)
{
    const char *signal = json_get_str(json_get(image_config, "config"), "StopSignal");
    const char *tag = image_tag(image), *digest = image_digest_name(image);

    c->image_id = xstrdup(image->id);
    c->image_ref = xstrdup(digest ? digest : image->id);
    c->image_name = xstrdup(tag ? tag : "");
    c->stop_signal = xstrdup(signal ? signal : "");
    for (size_t i = 0; i < image->n_layers; i++)
        strv_add(&c->layers, image->layers[i].chain_id);
    return oci_cgroups_path(c->sandbox->config->linux ? c->sandbox->config->linux->cgroup_parent
                                                      : "",
                            c->id, c->sandbox->node->systemd_cgroups, &c->cgroups_path, err);
}

/* A pod that has stopped meanwhile may be past removing its containers, and would not see this. */
static int put_in_map(struct container *c, struct error *err)
{
    struct node *n = c->sandbox->node;
    bool ready;

    pthread_mutex_lock(&n->lock);
    ready = c->sandbox->state == SANDBOX_READY;
    if (ready)
        map_put(&n->containers, c->id, container_ref(c));
    pthread_mutex_unlock(&n->lock);
    return ready ? 0 : error_set(err, ERROR_UNKNOWN, "pod %s is not ready", c->sandbox->id);
}

static void unmake(struct container *c)
{
    struct error err;

    if (container_record_delete(c, &err) < 0)
        log_error("container %s: %s", c->id, err.text);
    container_bundle_remove(c);
    container_selinux_release(c);
    image_store_release(c->sandbox->node->images, &c->layers);
}

/* From here on a mounted image is a mount like any other. */
static int mount_images(struct container *c, struct error *err)
{
    for (size_t i = 0; i < c->config->n_mounts; i++)
        if (c->config->mounts[i]->image &&
            image_volume_prepare(c->sandbox, c->config->mounts[i], err) < 0)
            return -1;
    return 0;
}

static int make(struct container *c, const Runtime__V1__CreateContainerRequest *r,
                struct error *err)
{
    struct node *n = c->sandbox->node;
    struct stage t = stage_begin();
    AUTO(image) *image = image_store_find(n->images, r->config->image->image, err);
    JSON_AUTO *image_config = NULL;

    if (!image)
        return -1;
    image_config = json_parse(image->config, strlen(image->config), err);
    if (!image_config || set_image(c, image, image_config, err) < 0)
        return -1;
    c->log_path = join_log_path(r, err);
    if (!c->log_path)
        return -1;
    if (mount_images(c, err) < 0)
        return -1;
    image_store_hold(n->images, &c->layers);
    container_selinux_hold(c);
    c->status.created_ns = clock_now_ns();
    stage_end(&t, "image", 0);
    if (stage_end(&t, "bundle", container_bundle_create(c, r->sandbox_config, image_config, err)) <
            0 ||
        sandbox_check_usable(c->sandbox, err) < 0 ||
        stage_end(&t, "record", container_record_insert(c, err)) < 0) {
        container_bundle_remove(c);
        container_selinux_release(c);
        image_store_release(n->images, &c->layers);
        return -1;
    }
    stage_log(&t, "CreateContainer", c->id);
    return 0;
}

static int run(struct sandbox *s, const Runtime__V1__CreateContainerRequest *r, const char *name,
               const struct deadline *client, char **out_id, struct error *err)
{
    char id[ID_SIZE];
    struct error gone;

    id_new(id);
    if (node_reserve_name(s->node, name, id, err) < 0)
        return -1;
    AUTO(container) *c =
        container_new(s, id, name, (Runtime__V1__ContainerConfig *)message_copy(&r->config->base));
    if (make(c, r, err) < 0) {
        node_release_name(s->node, name);
        return -1;
    }
    c->unclaimed = deadline_check(client, &gone) < 0;
    if (put_in_map(c, err) < 0) {
        unmake(c);
        node_release_name(s->node, name);
        return -1;
    }
    notify_container(c, RUNTIME__V1__CONTAINER_EVENT_TYPE__CONTAINER_CREATED_EVENT);
    *out_id = xstrdup(c->id);
    return 0;
}

/* A container that was made for a client that gave up goes to the client that asks again. */
static char *claim(struct sandbox *s, const char *name)
{
    struct node *n = s->node;
    AUTO_FREE char *id = node_name_owner(n, name);
    struct container *c;
    bool claimed;

    if (!id)
        return NULL;
    pthread_mutex_lock(&n->lock);
    c = map_find(&n->containers, id);
    claimed =
        c && c->sandbox == s && c->unclaimed && container_state_locked(c) == CONTAINER_CREATED;
    if (claimed)
        c->unclaimed = false;
    pthread_mutex_unlock(&n->lock);
    return claimed ? TAKE(id) : NULL;
}

int container_create(struct node *n, const Runtime__V1__CreateContainerRequest *request,
                     const struct deadline *client, char **out_id, struct error *err)
{
    AUTO(sandbox) *s = sandbox_find(n, request->pod_sandbox_id, err);
    AUTO_FREE char *name = NULL, *key = NULL;
    struct job *job;
    int role;

    if (!s || sandbox_check_usable(s, err) < 0 || check(request, err) < 0)
        return -1;
    cgroup_attach_hasten(&n->cgroup_attach); /* its start is what comes next */
    name = name_of(request);
    key = xasprintf("create container %s", name);
    role = job_enter(n->jobs, key, client, true, &job, out_id, err);
    if (role < 0)
        return error_wrap(err, "create container %s", name);
    if (role == JOB_JOINED)
        return 0;
    *out_id = claim(s, name);
    if (!*out_id && run(s, request, name, client, out_id, err) < 0) {
        job_leave(job, NULL, err);
        return error_wrap(err, "create container %s", name);
    }
    job_leave(job, *out_id, NULL);
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "pod/container_bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "image/rootfs.h"
#include "oci/spec.h"
#include "pod/sandbox_selinux.h"

enum { SPEC_MAX = 4 * 1024 * 1024, VOLUMES_MAX = 128 };

/* --- VOLUMEs of the image --- */

struct volumes {
    struct oci_volume items[VOLUMES_MAX];
    size_t n;
};

static void volumes_fini(struct volumes *v)
{
    for (size_t i = 0; i < v->n; i++) {
        free((char *)v->items[i].container_path);
        free((char *)v->items[i].host_path);
    }
}

static bool is_covered(const struct container *c, const char *path)
{
    for (size_t i = 0; i < c->config->n_mounts; i++)
        if (strcmp(c->config->mounts[i]->container_path, path) == 0)
            return true;
    return false;
}

static int add_volume(struct container *c, int root_fd, const char *path, struct volumes *v,
                      struct error *err)
{
    char *host_path;

    if (v->n == VOLUMES_MAX)
        return error_set(err, ERROR_EXHAUSTED, "the image has more than %d volumes", VOLUMES_MAX);
    host_path = xasprintf("%s/volumes/%zu", c->dir, v->n);
    v->items[v->n++] = (struct oci_volume){
        .container_path = xasprintf("%s%s", *path == '/' ? "" : "/", path),
        .host_path = host_path,
    };
    if (file_make_dirs(host_path, 0755, err) < 0)
        return -1;
    return rootfs_copy_out(root_fd, path, host_path, &c->sandbox->ids, err);
}

static int make_volumes(struct container *c, int root_fd, struct json_object *image_config,
                        struct volumes *v, struct error *err)
{
    struct json_object *wanted = json_get(json_get(image_config, "config"), "Volumes");

    if (!json_object_is_type(wanted, json_type_object))
        return 0;
    json_object_object_foreach(wanted, path, unused)
    {
        (void)unused;
        if (!is_covered(c, path) && add_volume(c, root_fd, path, v, err) < 0)
            return error_wrap(err, "volume %s", path);
    }
    return 0;
}

/* --- the specification --- */

/* The pid mode of the container: its own, the pod's, the node's, or that of another container. */
static int set_pids(const struct container *c, struct oci_input *in, char **out_path,
                    struct error *err)
{
    const Runtime__V1__NamespaceOption *o = container_namespaces(c);
    Runtime__V1__NamespaceMode mode = o ? o->pid : RUNTIME__V1__NAMESPACE_MODE__POD;
    pid_t target;

    if (container_target_pid(c, &target, err) < 0)
        return -1;
    in->host_pid = mode == RUNTIME__V1__NAMESPACE_MODE__NODE;
    if (mode == RUNTIME__V1__NAMESPACE_MODE__POD) {
        const Runtime__V1__NamespaceOption *pod = sandbox_namespaces(c->sandbox);

        if (pod && pod->pid == RUNTIME__V1__NAMESPACE_MODE__NODE)
            in->host_pid = true;
        else if (sandbox_shares_pids(c->sandbox))
            *out_path = xasprintf("%s/ns/pid", c->sandbox->dir);
    } else if (target) {
        *out_path = xasprintf("/proc/%d/ns/pid", target);
    }
    in->target_pid_ns = *out_path;
    return 0;
}

static int build(struct container *c, const Runtime__V1__PodSandboxConfig *pod_config,
                 struct json_object *image_config, const struct volumes *v, struct error *err)
{
    struct node *n = c->sandbox->node;
    JSON_AUTO *spec = NULL;
    AUTO_FREE char *pid_path = NULL, *userns = xasprintf("%s/ns/user", c->sandbox->dir);
    const struct oci_features features = node_await_features(n, c->sandbox->runtime);
    struct oci_input in = {
        .container_id = c->id,
        .pod_id = c->sandbox->id,
        .config = c->config,
        .pod_config = pod_config,
        .image_config = image_config,
        .image_name = *c->image_name ? c->image_name : c->image_id,
        .pod_dir = c->sandbox->dir,
        .pod_selinux = sandbox_selinux_options(c->sandbox),
        .pod_owns_network = !sandbox_on_host_network(c->sandbox),
        .pod_owns_uts = !sandbox_on_host_network(c->sandbox),
        .pod_owns_ipc = !sandbox_on_host_ipc(c->sandbox),
        .userns = idmap_is_set(&c->sandbox->ids) ? userns : NULL,
        .ids = c->sandbox->ids,
        .bundle = c->bundle,
        .cgroups_path = c->cgroups_path,
        .user = &c->user,
        .volumes = v->items,
        .n_volumes = v->n,
        .host = &n->host,
        .features = &features,
        .cdi = n->cdi,
        .policy = c->sandbox->runtime->policy,
    };
    const Runtime__V1__LinuxContainerResources *r =
        c->config->linux ? c->config->linux->resources : NULL;

    if (set_pids(c, &in, &pid_path, err) < 0 || oci_spec_build(&in, &spec, err) < 0)
        return -1;
    if (r && oci_host_oom_score_adj(&n->host, r->oom_score_adj) != r->oom_score_adj)
        log_info("container %s: oom_score_adj %lld is raised to %lld, as this host lets berthd go "
                 "no lower",
                 c->id, (long long)r->oom_score_adj,
                 (long long)oci_host_oom_score_adj(&n->host, r->oom_score_adj));
    c->resources = oci_resources_read(spec);
    if (c->sandbox->runtime->seccomp)
        c->seccomp = seccomp_cache_apply(c->sandbox->runtime->seccomp, spec);
    return container_bundle_store_spec(c, spec, err);
}

/* What the overlay keeps for itself stays the node's. */
static int give_to_root(struct container *c, const char *folder, struct error *err)
{
    const struct idmap *ids = &c->sandbox->ids;
    AUTO_FREE char *path = xasprintf("%s/%s", c->dir, folder);

    if (idmap_is_set(ids) && chown(path, ids->uids.first, ids->gids.first) < 0)
        return error_errno(err, errno, "give %s to the container's root", path);
    return 0;
}

static int make_folders(struct container *c, struct error *err)
{
    static const char *const folders[] = {"upper", "work"};
    AUTO_FREE char *rootfs = xasprintf("%s/rootfs", c->bundle);

    for (size_t i = 0; i < COUNT_OF(folders); i++) {
        AUTO_FREE char *path = xasprintf("%s/%s", c->dir, folders[i]);

        if (file_make_dirs(path, 0755, err) < 0)
            return -1;
    }
    if (give_to_root(c, "upper", err) < 0)
        return -1;
    /* Not the folders above: a pod that is being removed must not come back. */
    if ((mkdir(c->bundle, 0711) < 0 || mkdir(rootfs, 0711) < 0) && errno != EEXIST)
        return error_errno(err, errno, "create folder %s", rootfs);
    return 0;
}

static int create(struct container *c, const Runtime__V1__PodSandboxConfig *pod_config,
                  struct json_object *image_config, struct error *err)
{
    const char *image_user = json_get_str(json_get(image_config, "config"), "User");
    __attribute__((cleanup(volumes_fini))) struct volumes volumes = {.n = 0};
    AUTO_FINI(strv) layers = {0};
    AUTO_CLOSE int root_fd = -1;

    container_layer_paths(c, &layers);
    if (make_folders(c, err) < 0 || rootfs_open(&layers, &root_fd, err) < 0 ||
        oci_user_resolve(root_fd, c->config, image_user ? image_user : "", &c->user, err) < 0 ||
        make_volumes(c, root_fd, image_config, &volumes, err) < 0)
        return -1;
    return build(c, pod_config, image_config, &volumes, err);
}

int container_bundle_create(struct container *c, const Runtime__V1__PodSandboxConfig *pod_config,
                            struct json_object *image_config, struct error *err)
{
    if (create(c, pod_config, image_config, err) == 0)
        return 0;
    /* Clients know what cannot be built as a plain error. */
    if (err->code == ERROR_INVALID)
        err->code = ERROR_UNKNOWN;
    return -1;
}

struct json_object *container_bundle_load_spec(const struct container *c, struct error *err)
{
    AUTO_FREE char *path = xasprintf("%s/config.json", c->bundle);
    AUTO_FINI(buf) text = BUF(SPEC_MAX);

    if (file_load(AT_FDCWD, path, &text, err) < 0)
        return NULL;
    return json_parse(text.data, text.len, err);
}

int container_bundle_store_spec(const struct container *c, struct json_object *spec,
                                struct error *err)
{
    AUTO_FREE char *path = xasprintf("%s/config.json", c->bundle);
    const char *text = json_text(spec);

    return file_store(AT_FDCWD, path, text, strlen(text), 0600, err);
}

int container_bundle_reset(const struct container *c, struct error *err)
{
    /* Overlay's mark of a volatile mount, whose contents it takes for lost. */
    AUTO_FREE char *mark = xasprintf("%s/work/work/incompat", c->dir);

    return file_remove_tree(AT_FDCWD, mark, err);
}

void container_bundle_remove(const struct container *c)
{
    struct error err;

    if (file_remove_tree(AT_FDCWD, c->bundle, &err) < 0)
        log_warn("container %s: %s", c->id, err.text);
    if (file_remove_tree(AT_FDCWD, c->dir, &err) < 0)
        log_warn("container %s: %s", c->id, err.text);
}

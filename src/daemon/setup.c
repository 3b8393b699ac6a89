// SPDX-License-Identifier: Apache-2.0
#include "daemon/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "daemon/state_lock.h"
#include "oci/base_spec.h"
#include "oci/blockio.h"
#include "os/mount.h"
#include "pod/container.h"
#include "pod/sandbox.h"

static int make_folder(const char *parent, const char *name, mode_t mode, struct error *err)
{
    AUTO_FREE char *path = xasprintf("%s/%s", parent, name);

    return file_make_dirs(path, mode, err);
}

static int make_folders(const struct node *n, struct error *err)
{
    AUTO_FREE char *pods = xasprintf("%s/pods", n->state);

    if (file_make_dirs(n->root, 0711, err) < 0 || file_make_dirs(n->state, 0711, err) < 0 ||
        make_folder(n->root, "containers", 0711, err) < 0 ||
        make_folder(n->root, "empty", 0755, err) < 0 ||
        make_folder(n->state, "pods", 0711, err) < 0 ||
        make_folder(n->state, "exits", 0700, err) < 0 ||
        make_folder(n->state, "runtimes", 0700, err) < 0)
        return -1;
    return mount_make_private(pods, err);
}

static int read_boot_id(struct node *n, struct error *err)
{
    AUTO_FINI(buf) text = BUF(64);

    if (file_load(AT_FDCWD, "/proc/sys/kernel/random/boot_id", &text, err) < 0)
        return -1;
    snprintf(n->boot_id, sizeof n->boot_id, "%.36s", text.data);
    return 0;
}

static int load_base_specs(struct node *n, const struct config *c, struct error *err)
{
    n->runtimes = xcalloc(c->n_runtimes, sizeof *n->runtimes);
    for (size_t i = 0; i < c->n_runtimes; i++, n->n_runtimes++) {
        const char *path = c->runtimes[i].base_runtime_spec;

        if (!path)
            continue;
        n->runtimes[i].base_spec = base_spec_load(path, err);
        if (!n->runtimes[i].base_spec)
            return error_wrap(err, "base_runtime_spec of runtime %s", c->runtimes[i].name);
    }
    return 0;
}

static void add_runtimes(struct node *n, const struct config *c)
{
    for (size_t i = 0; i < c->n_runtimes; i++) {
        struct node_runtime *r = &n->runtimes[i];

        r->name = xstrdup(c->runtimes[i].name);
        r->path = xstrdup(c->runtimes[i].path);
        r->root = xasprintf("%s/runtimes/%s", n->state, r->name);
        r->has_entries = !c->runtimes[i].exec || strcmp(c->runtimes[i].exec, "auto") == 0;
        /* SELinux gives a process its domain by the label of the file it was started from. */
        if (!n->host.has_selinux)
            r->copy = sealed_new(r->path);
        r->seccomp = seccomp_cache_new();
        strv_add_all(&r->pod_annotations, &c->runtimes[i].pod_annotations);
        strv_add_all(&r->container_annotations, &c->runtimes[i].container_annotations);
        r->policy = (struct oci_policy){
            .pod_annotations = &r->pod_annotations,
            .container_annotations = &r->container_annotations,
            .privileged_without_host_devices = c->runtimes[i].privileged_without_host_devices,
            .device_ownership_from_security_context = c->device_ownership_from_security_context,
            .cgroup_writable = c->runtimes[i].cgroup_writable,
            .selinux_enabled = c->enable_selinux,
            .base_spec = r->base_spec,
            .blockio_classes = n->blockio_classes,
            .unset_seccomp_profile = n->unset_seccomp_profile,
        };
    }
}

static struct cni *make_cni(const struct config *c)
{
    struct cni_options options = {
        .conf_dir = c->cni_conf_dir,
        .bin_dirs = &c->cni_bin_dirs,
        .max_conf_num = (unsigned)c->cni_max_conf_num,
        .cache_dir = c->cni_cache_dir,
        .ip_pref = c->cni_ip_pref,
    };

    return cni_new(&options);
}

static int open_stores(struct node *n, const struct config *c, struct error *err)
{
    AUTO_FREE char *path = xasprintf("%s/berth.db", n->root);
    AUTO_FREE char *exits = xasprintf("%s/exits", n->state);

    n->exits_fd = open(exits, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (n->exits_fd < 0)
        return error_errno(err, errno, "open %s", exits);
    n->database = database_open(path, n->pool, err);
    if (!n->database)
        return -1;
    n->images = image_store_open(
        &(struct image_store_options){
            .root = n->root,
            .helper = c->image_helper,
            .hosts_dirs = &c->registry_dirs,
            .boot_id = n->boot_id,
            .idle_timeout_ms = c->pull_progress_timeout_s * 1000,
            .database = n->database,
            .auth_file = c->registry_auth_file,
            .http_proxy = c->registry_http_proxy,
            .https_proxy = c->registry_https_proxy,
            .no_proxy = c->registry_no_proxy,
            .pinned = &c->image_pinned,
        },
        err);
    if (!n->images)
        return -1;
    n->offline = offline_new(n->images, c->image_offline_dir);
    return 0;
}

static int load_classes(struct node *n, const struct config *c, struct error *err)
{
    if (!*c->blockio_config_file)
        return 0;
    n->blockio_classes = oci_blockio_load(c->blockio_config_file, err);
    return n->blockio_classes ? 0 : error_wrap(err, "blockio_config_file");
}

static int open_shim_folder(const char *shim)
{
    const char *slash = strrchr(shim, '/');
    AUTO_FREE char *folder = slash ? xstrndup(shim, (size_t)(slash - shim) + 1) : xstrdup(".");
    struct error err;
    int fd = mount_open_read_only(folder, &err);

    if (fd < 0)
        log_info("every exec takes a run of the OCI runtime: %s", err.text);
    return fd;
}

static void init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

int setup_node(struct node *n, const struct config *c, struct loop *loop, struct pool *pool,
               struct error *err)
{
    *n = (struct node){
        .root = xstrdup(c->root),
        .state = xstrdup(c->state),
        .socket = xstrdup(c->socket),
        .shim = xstrdup(c->shim),
        .shim_folder = open_shim_folder(c->shim),
        .log_line_max = c->log_line_max,
        .default_runtime = xstrdup(c->default_runtime),
        .unset_seccomp_profile = xstrdup(c->unset_seccomp_profile),
        .unprivileged_ports = c->enable_unprivileged_ports,
        .unprivileged_icmp = c->enable_unprivileged_icmp,
        .cdi = cdi_cache_new(&c->cdi_spec_dirs),
        .loop = loop,
        .pool = pool,
        .cgroup_attach.pool = pool,
        .exits_fd = -1,
    };
    pthread_mutex_init(&n->lock, NULL);
    pthread_cond_init(&n->asked, NULL);
    init_condition(&n->recovered);
    selinux_levels_init(&n->selinux, (unsigned)c->selinux_category_range);
    n->events = events_new();
    n->jobs = job_table_new();
    if (load_classes(n, c, err) < 0 || load_base_specs(n, c, err) < 0 || make_folders(n, err) < 0 ||
        state_lock_take(n->state, err) < 0 || read_boot_id(n, err) < 0 ||
        oci_host_detect(&n->host, err) < 0 || open_stores(n, c, err) < 0)
        return -1;
    n->host.has_apparmor &= !c->disable_apparmor;
    n->selinux_enabled = c->enable_selinux && n->host.has_selinux;
    add_runtimes(n, c);
    n->cni = make_cni(c);
    n->cni_conf_dir = xstrdup(c->cni_conf_dir);
    n->cni_conf_template = xstrdup(c->cni_conf_template);
    return 0;
}

/* The cgroup of pods that name none. It goes when it is empty. */
static void remove_cgroups(void)
{
    static const char base[] = "/sys/fs/cgroup";
    AUTO_CLOSEDIR DIR *dir = opendir(base);

    if (!dir)
        return;
    rmdir("/sys/fs/cgroup/berth");
    for (struct dirent *entry; (entry = readdir(dir));) {
        AUTO_FREE char *path = xasprintf("%s/%s/berth", base, entry->d_name);

        if (entry->d_name[0] != '.')
            rmdir(path);
    }
}

static void leave_nothing(struct node *n)
{
    AUTO_FREE char *pods = xasprintf("%s/pods", n->state);
    struct error err;

    if (n->sandboxes.len > 0)
        return;
    remove_cgroups();
    if (mount_detach(pods, &err) < 0)
        log_warn("%s", err.text);
}

static void free_runtime(struct node_runtime *r)
{
    free(r->name);
    free(r->path);
    free(r->root);
    sealed_free(r->copy);
    seccomp_cache_free(r->seccomp);
    json_object_put(r->base_spec);
    strv_fini(&r->pod_annotations);
    strv_fini(&r->container_annotations);
}

static void free_runtimes(struct node *n)
{
    const struct map_slot *slot;

    for (size_t i = 0; i < n->n_runtimes; i++)
        free_runtime(&n->runtimes[i]);
    free(n->runtimes);
    for (size_t at = 0; (slot = map_next(&n->retired, &at));) {
        free_runtime(slot->value);
        free(slot->value);
    }
    map_fini(&n->retired);
}

static void free_maps(struct node *n)
{
    const struct map_slot *slot;

    for (size_t at = 0; (slot = map_next(&n->containers, &at));)
        container_free(slot->value);
    for (size_t at = 0; (slot = map_next(&n->sandboxes, &at));) {
        struct sandbox *s = slot->value;

        if (s->shim_watch) /* the watch of a shim that lives on has a reference of its own */
            sandbox_free(s);
        sandbox_free(s);
    }
    for (size_t at = 0; (slot = map_next(&n->names, &at));)
        free(slot->value);
    map_fini(&n->containers);
    map_fini(&n->sandboxes);
    map_fini(&n->names);
}

void setup_fini(struct node *n)
{
    leave_nothing(n);
    free_maps(n);
    cni_free(n->cni);
    offline_free(n->offline);
    image_store_close(n->images);
    database_close(n->database);
    events_free(n->events);
    job_table_free(n->jobs);
    oci_host_fini(&n->host);
    strv_fini(&n->leftovers);
    fd_close(&n->exits_fd);
    free_runtimes(n);
    free(n->root);
    free(n->state);
    free(n->socket);
    free(n->shim);
    fd_close(&n->shim_folder);
    free(n->default_runtime);
    free(n->unset_seccomp_profile);
    cdi_cache_free(n->cdi);
    selinux_levels_fini(&n->selinux);
    json_object_put(n->blockio_classes);
    free(n->cni_conf_dir);
    free(n->cni_conf_template);
    pthread_cond_destroy(&n->asked);
    pthread_cond_destroy(&n->recovered);
    pthread_mutex_destroy(&n->lock);
}

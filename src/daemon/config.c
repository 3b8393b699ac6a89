// SPDX-License-Identifier: Apache-2.0
#include "daemon/config.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"
#include "oci/selinux_levels.h"

void config_init(struct config *c)
{
    *c = (struct config){
        .root = xstrdup("/var/lib/berth"),
        .state = xstrdup("/run/berth"),
        .log_level = xstrdup("info"),
        .default_runtime = xstrdup("crun"),
        .cgroup_driver = xstrdup("auto"),
        .log_line_max = 16 * 1024,
        .pull_progress_timeout_s = 30,
        .cni_conf_dir = xstrdup("/etc/cni/net.d"),
        .cni_conf_template = xstrdup(""),
        .cni_max_conf_num = 1,
        .cni_ip_pref = xstrdup(""),
        .registry_auth_file = xstrdup("/etc/berth/auth.json"),
        .stream_address = xstrdup("127.0.0.1"),
        .stream_cert_file = xstrdup(""),
        .stream_key_file = xstrdup(""),
        .stream_client_ca_file = xstrdup(""),
        .stream_tls_min_version = xstrdup("1.2"),
        .unset_seccomp_profile = xstrdup(""),
        .blockio_config_file = xstrdup(""),
        .selinux_category_range = 1024,
        .enable_unprivileged_ports = true,
        .enable_unprivileged_icmp = true,
    };
}

void config_drop_runtimes(struct config *c)
{
    for (size_t i = 0; i < c->n_runtimes; i++) {
        free(c->runtimes[i].name);
        free(c->runtimes[i].path);
        free(c->runtimes[i].base_runtime_spec);
        free(c->runtimes[i].exec);
        strv_fini(&c->runtimes[i].pod_annotations);
        strv_fini(&c->runtimes[i].container_annotations);
    }
    c->n_runtimes = 0;
}

void config_fini(struct config *c)
{
    char *texts[] = {c->root,
                     c->state,
                     c->socket,
                     c->log_level,
                     c->default_runtime,
                     c->cgroup_driver,
                     c->shim,
                     c->image_helper,
                     c->cni_conf_dir,
                     c->cni_cache_dir,
                     c->cni_ip_pref,
                     c->stream_address,
                     c->stream_cert_file,
                     c->stream_key_file,
                     c->stream_client_ca_file,
                     c->stream_tls_min_version,
                     c->stream_tls_helper,
                     c->cni_conf_template,
                     c->unset_seccomp_profile,
                     c->blockio_config_file,
                     c->registry_auth_file,
                     c->registry_http_proxy,
                     c->registry_https_proxy,
                     c->registry_no_proxy,
                     c->image_offline_dir};

    for (size_t i = 0; i < COUNT_OF(texts); i++)
        free(texts[i]);
    config_drop_runtimes(c);
    strv_fini(&c->cni_bin_dirs);
    strv_fini(&c->registry_dirs);
    strv_fini(&c->cdi_spec_dirs);
    strv_fini(&c->image_pinned);
    *c = (struct config){0};
}

/* A program of ours: beside berthd when it runs from a build, else where it is installed. */
static char *find_program(const char *name)
{
    static const char *const folders[] = {"/usr/local/libexec/berth", "/usr/libexec/berth",
                                          "/usr/local/bin", "/usr/bin"};
    char self[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    char *path;

    if (len > 0) {
        self[len] = '\0';
        *strrchr(self, '/') = '\0';
        path = xasprintf("%s/%s", self, name);
        if (access(path, X_OK) == 0)
            return path;
        free(path);
    }
    for (size_t i = 0; i < COUNT_OF(folders); i++) {
        path = xasprintf("%s/%s", folders[i], name);
        if (access(path, X_OK) == 0)
            return path;
        free(path);
    }
    return NULL;
}

static void add_default_runtimes(struct config *c)
{
    static const char *const names[] = {"crun", "runc"};

    for (size_t i = 0; i < COUNT_OF(names); i++)
        c->runtimes[c->n_runtimes++] = (struct config_runtime){
            .name = xstrdup(names[i]), .path = xasprintf("/usr/bin/%s", names[i])};
}

static int check_tls(const struct config *c, struct error *err)
{
    if (!c->stream_tls &&
        (*c->stream_cert_file || *c->stream_key_file || *c->stream_client_ca_file))
        return error_set(err, ERROR_INVALID,
                         "streaming.tls has files, but streaming.tls.enabled is not true");
    if (!*c->stream_cert_file != !*c->stream_key_file)
        return error_set(err, ERROR_INVALID,
                         "streaming.tls has only one of cert_file and key_file");
    if (strcmp(c->stream_tls_min_version, "1.2") != 0 &&
        strcmp(c->stream_tls_min_version, "1.3") != 0)
        return error_set(err, ERROR_INVALID,
                         "streaming.tls.min_version \"%s\" is neither 1.2 nor 1.3",
                         c->stream_tls_min_version);
    if (c->stream_tls && !c->stream_tls_helper)
        return error_set(err, ERROR_INVALID,
                         "berth-tls is not installed: set streaming.tls.helper");
    return 0;
}

/* The kubelet has other names for them. */
static void set_tls_version(struct config *c)
{
    static const char prefix[] = "VersionTLS1";
    const char *text = c->stream_tls_min_version;

    if (strcmp(text, "VersionTLS12") != 0 && strcmp(text, "VersionTLS13") != 0)
        return;
    c->stream_tls_min_version = xasprintf("1.%s", text + sizeof prefix - 1);
    free((char *)text);
}

static int check_runtimes(const struct config *c, struct error *err)
{
    for (size_t i = 0; i < c->n_runtimes; i++) {
        const char *exec = c->runtimes[i].exec;

        if (exec && strcmp(exec, "auto") != 0 && strcmp(exec, "runtime") != 0)
            return error_set(err, ERROR_INVALID,
                             "exec \"%s\" of runtime %s is neither auto nor runtime", exec,
                             c->runtimes[i].name);
    }
    return 0;
}

static int check(const struct config *c, struct error *err)
{
    bool found = false;

    for (size_t i = 0; i < c->n_runtimes; i++)
        found = found || strcmp(c->runtimes[i].name, c->default_runtime) == 0;
    if (!found)
        return error_set(err, ERROR_INVALID, "default_runtime \"%s\" is none of the runtimes",
                         c->default_runtime);
    if (strcmp(c->cgroup_driver, "auto") != 0 && strcmp(c->cgroup_driver, "cgroupfs") != 0 &&
        strcmp(c->cgroup_driver, "systemd") != 0)
        return error_set(err, ERROR_INVALID,
                         "cgroup_driver \"%s\" is none of auto, cgroupfs and systemd",
                         c->cgroup_driver);
    if (*c->root != '/' || *c->state != '/' || *c->socket != '/')
        return error_set(err, ERROR_INVALID, "root, state and socket must be absolute paths");
    if (c->image_offline_dir && *c->image_offline_dir && *c->image_offline_dir != '/')
        return error_set(err, ERROR_INVALID, "image.offline_dir must be an absolute path");
    if (c->stream_port < 0 || c->stream_port > UINT16_MAX)
        return error_set(err, ERROR_INVALID, "streaming.port %lld is no port",
                         (long long)c->stream_port);
    if (c->selinux_category_range < SELINUX_LEVELS_CATEGORIES_MIN ||
        c->selinux_category_range > SELINUX_LEVELS_CATEGORIES_MAX)
        return error_set(err, ERROR_INVALID, "selinux_category_range %lld is not from %d to %d",
                         (long long)c->selinux_category_range, SELINUX_LEVELS_CATEGORIES_MIN,
                         SELINUX_LEVELS_CATEGORIES_MAX);
    if (!c->shim)
        return error_set(err, ERROR_INVALID, "containerd-shim-berth-v2 is not installed: set shim");
    if (c->pull_progress_timeout_s < 1 || c->pull_progress_timeout_s > 24 * 60 * 60)
        return error_set(err, ERROR_INVALID, "image.pull_progress_timeout is not 1 to 86400 s");
    if (!c->image_helper)
        return error_set(err, ERROR_INVALID, "berth-image is not installed: set image.helper");
    if (check_runtimes(c, err) < 0)
        return -1;
    return check_tls(c, err);
}

int config_finish(struct config *c, struct error *err)
{
    if (!c->socket)
        c->socket = xasprintf("%s/berth.sock", c->state);
    if (!c->shim)
        c->shim = find_program("containerd-shim-berth-v2");
    if (!c->image_helper)
        c->image_helper = find_program("berth-image");
    if (!c->stream_tls_helper)
        c->stream_tls_helper = find_program("berth-tls");
    if (c->n_runtimes == 0)
        add_default_runtimes(c);
    if (c->cni_bin_dirs.len == 0) {
        strv_add(&c->cni_bin_dirs, "/opt/cni/bin");
        strv_add(&c->cni_bin_dirs, "/usr/lib/cni");
    }
    if (c->registry_dirs.len == 0)
        strv_add(&c->registry_dirs, "/etc/berth/certs.d");
    if (c->cdi_spec_dirs.len == 0) {
        strv_add(&c->cdi_spec_dirs, "/etc/cdi");
        strv_add(&c->cdi_spec_dirs, "/var/run/cdi");
    }
    set_tls_version(c);
    return check(c, err);
}

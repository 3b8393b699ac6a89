// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"

/* config: berthd's configuration, YAML files. Every key has a default and a missing file is fine;
 * an unknown key is an error that names file, line and key. Read once, before anything else.
 * berth-config(5) describes the keys. */
enum { CONFIG_RUNTIMES_MAX = 32 };

struct config_runtime {
    char *name;
    char *path;
    struct strv pod_annotations; /* globs */
    struct strv container_annotations;
    char *base_runtime_spec; /* NULL: none */
    bool privileged_without_host_devices;
    bool cgroup_writable;
    char *exec; /* NULL or "auto": by the shim where it can; "runtime" */
};

struct config {
    char *root;
    char *state;
    char *socket; /* NULL until config_finish(): <state>/berth.sock */
    char *log_level;
    char *default_runtime;
    char *cgroup_driver; /* auto, cgroupfs or systemd */
    char *shim;          /* program; NULL: beside berthd, or installed */
    char *image_helper;  /* likewise */
    int64_t pull_progress_timeout_s;
    int64_t log_line_max;
    char *cni_conf_dir;
    char *cni_conf_template; /* "": none */
    struct strv cni_bin_dirs;
    int64_t cni_max_conf_num;
    char *cni_cache_dir;
    char *cni_ip_pref;
    struct strv registry_dirs;
    char *registry_auth_file;
    char *registry_http_proxy; /* NULL: the environment's */
    char *registry_https_proxy;
    char *registry_no_proxy;
    struct strv image_pinned;
    char *image_offline_dir; /* NULL: none */
    char *stream_address;
    int64_t stream_port; /* 0: any that is free */
    bool stream_tls;
    char *stream_cert_file; /* "": self-signed */
    char *stream_key_file;
    char *stream_client_ca_file;  /* "": clients need no certificate */
    char *stream_tls_min_version; /* 1.2 or 1.3 */
    char *stream_tls_helper;      /* program; NULL: beside berthd, or installed */
    struct strv cdi_spec_dirs;
    char *unset_seccomp_profile; /* "": unconfined */
    char *blockio_config_file;   /* "": none */
    bool disable_apparmor;
    bool enable_selinux;
    int64_t selinux_category_range;
    bool device_ownership_from_security_context;
    bool enable_unprivileged_ports;
    bool enable_unprivileged_icmp;
    struct config_runtime runtimes[CONFIG_RUNTIMES_MAX];
    size_t n_runtimes;
};

void config_init(struct config *c); /* the defaults, but for lists */
void config_fini(struct config *c);
void config_drop_runtimes(struct config *c); /* as if the file had named none yet */

/* Reads one file into c; keys that it names replace what was there. ERROR_NOT_FOUND when there is
 * no such file; ERROR_INVALID names file, line and key. */
MUST_CHECK int config_load(struct config *c, const char *path, struct error *err);

/* The parser of the above alone; name is for error texts. */
MUST_CHECK int config_parse(struct config *c, const char *name, const char *text, size_t len,
                            struct error *err);

/* Reads <folder>/ *.yaml in the order of their names; a missing folder is fine. */
MUST_CHECK int config_load_folder(struct config *c, const char *folder, struct error *err);

/* Fills in what follows from other keys and checks them against each other. */
MUST_CHECK int config_finish(struct config *c, struct error *err);

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/idmap.h"
#include "base/strv.h"
#include "cri.pb-c.h"
#include "oci/cdi_cache.h"
#include "oci/features.h"
#include "oci/host.h"
#include "oci/user.h"

/* spec: the config.json that an OCI runtime makes a container from.
 *
 * It is built from what the client asked for, the image's configuration and facts of the node.
 * Building makes missing host folders of mounts and reads /dev, localhost seccomp profiles and
 * /proc/self/mountinfo; everything else is plain computation. Everything in the input is borrowed
 * for the call. Any thread. */

/* A folder of ours for a VOLUME of the image. */
struct oci_volume {
    const char *container_path;
    const char *host_path;
};

/* The node's configuration; all zero is the default. */
struct oci_policy {
    const struct strv *pod_annotations;       /* globs: passed on to the runtime; or NULL */
    const struct strv *container_annotations; /* likewise */
    bool privileged_without_host_devices;
    bool device_ownership_from_security_context;
    bool hugetlb_required; /* hugepage limits without the controller are an error */
    bool cgroup_writable;  /* /sys/fs/cgroup, with cgroups v2 */
    bool selinux_enabled;
    struct json_object *base_spec;       /* see base_spec.h; or NULL */
    struct json_object *blockio_classes; /* see blockio.h; or NULL */
    const char *unset_seccomp_profile; /* of who asks for none, as the old field has it; or NULL */
};

struct oci_input {
    const char *container_id;
    const char *pod_id;
    const Runtime__V1__ContainerConfig *config;
    const Runtime__V1__PodSandboxConfig *pod_config;
    struct json_object *image_config; /* the image's whole configuration, or NULL */
    const char *image_name;           /* for the annotation when the client gives none */
    const char *pod_dir;              /* hostname, hosts, resolv.conf, shm/, ns/{net,ipc,uts} */
    const Runtime__V1__SELinuxOption *pod_selinux; /* of the pod as it was made; or NULL */
    bool pod_owns_network;
    bool pod_owns_ipc;
    bool pod_owns_uts;
    const char *target_pid_ns; /* path of the PID namespace to join; NULL: a new one */
    bool host_pid;             /* the node's PID namespace */
    const char *userns;        /* path of the pod's user namespace; NULL: it has none */
    struct idmap ids;          /* of it */
    const char *bundle;        /* where OCI_USERNS_MAPPED is */
    const char *cgroups_path;  /* from oci_cgroups_path() */
    const struct oci_user *user;
    const struct oci_volume *volumes;
    size_t n_volumes;
    const struct oci_host *host;
    const struct oci_features *features; /* NULL: nothing is known of the runtime */
    struct cdi_cache *cdi;               /* NULL: no devices by name */
    struct oci_policy policy;
};

/* Each failure names the field and the value. The caller puts *out away with json_object_put(). */
MUST_CHECK int oci_spec_build(const struct oci_input *in, struct json_object **out,
                              struct error *err);

/* The process of an exec: the container's with other args, a terminal or none. spec is that of the
 * container and stays as it is. */
MUST_CHECK int oci_process_build_exec(struct json_object *spec, char **cmd, size_t n_cmd, bool tty,
                                      struct json_object **out, struct error *err);

/* "/x/y" gives "/x/y/<id>", "….slice" gives "<its last part>:cri-containerd:<id>", a scope of
 * systemd's; "" gives one of them, as systemd says: "/berth/<id>" or a scope in system.slice. The
 * caller frees *out. */
MUST_CHECK int oci_cgroups_path(const char *cgroup_parent, const char *container_id, bool systemd,
                                char **out, struct error *err);

/* True where a pod's parent is a slice of systemd's: its last part says so. */
bool oci_cgroups_parent_is_slice(const char *cgroup_parent);

/* True of a scope: the OCI runtime has to ask systemd for it. */
bool oci_cgroups_path_is_scope(const char *cgroups_path);

/* Sets in spec's linux.resources what r asks for; zero and "" leave what is there. */
MUST_CHECK int oci_resources_update(struct json_object *spec,
                                    const Runtime__V1__LinuxContainerResources *r,
                                    const struct oci_host *host, const struct oci_policy *policy,
                                    struct error *err);

/* What spec has of such resources, as a message of the caller's: message_free(). */
Runtime__V1__LinuxContainerResources *oci_resources_read(struct json_object *spec);

// SPDX-License-Identifier: Apache-2.0
#include "oci/features.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/own.h"
#include "os/process.h"

enum { ANSWER_MAX = 256 * 1024, LIMIT_MS = 5000 };

static bool contains(struct json_object *texts, const char *text)
{
    for (size_t i = 0; i < json_len(texts); i++) {
        const char *one = json_str(json_at(texts, i));

        if (one && strcmp(one, text) == 0)
            return true;
    }
    return false;
}

/* linux.<module>.enabled */
static bool is_enabled(struct json_object *tree, const char *module)
{
    return json_get_flag(json_get(json_get(tree, "linux"), module), "enabled", false);
}

static enum oci_family family_of(struct json_object *annotations)
{
    if (json_get_str(annotations, "run.oci.crun.version"))
        return OCI_FAMILY_CRUN;
    if (json_get_str(annotations, "org.opencontainers.runc.version"))
        return OCI_FAMILY_RUNC;
    return OCI_FAMILY_OTHER;
}

int oci_features_parse(const char *text, size_t len, struct oci_features *out, struct error *err)
{
    JSON_AUTO *tree = json_parse(text, len, err);
    struct json_object *linux = json_get(tree, "linux"), *cgroup = json_get(linux, "cgroup");
    struct json_object *extensions = json_get(linux, "mountExtensions");

    if (!tree)
        return -1;
    if (!json_object_is_type(tree, json_type_object))
        return error_set(err, ERROR_INVALID, "features are no object");
    *out = (struct oci_features){
        .known = true,
        .family = family_of(json_get(tree, "annotations")),
        .recursive_read_only = contains(json_get(tree, "mountOptions"), "rro"),
        .user_namespaces = contains(json_get(linux, "namespaces"), "user"),
        .idmapped_mounts = json_get_flag(json_get(extensions, "idmap"), "enabled", false),
        .seccomp = is_enabled(tree, "seccomp"),
        .apparmor = is_enabled(tree, "apparmor"),
        .selinux = is_enabled(tree, "selinux"),
        .cgroup_v1 = json_get_flag(cgroup, "v1", false),
        .cgroup_v2 = json_get_flag(cgroup, "v2", false),
        .systemd_cgroups = json_get_flag(cgroup, "systemd", false),
        .net_devices = is_enabled(tree, "netDevices"),
    };
    return 0;
}

bool oci_features_of_version(const char *text, struct oci_features *out)
{
    unsigned major, minor, patch = 0, version;

    if (sscanf(text, "crun version %4u.%4u.%4u", &major, &minor, &patch) < 2) // NOLINT
        return false;
    version = major * 1000000 + minor * 1000 + patch;
    *out = (struct oci_features){
        .known = true,
        .family = OCI_FAMILY_CRUN,
        .recursive_read_only = version >= 1004000,
        .user_namespaces = true,
        .idmapped_mounts = version >= 1008001, /* the mappings were the other way round before */
        .seccomp = strstr(text, "+SECCOMP"),
        .apparmor = strstr(text, "+APPARMOR"),
        .selinux = strstr(text, "+SELINUX"),
        .cgroup_v1 = true,
        .cgroup_v2 = true,
        .systemd_cgroups = strstr(text, "+SYSTEMD"),
    };
    return true;
}

/* The system call that makes mounts read-only with everything below, and maps their ids, since
 * Linux 5.12. */
static bool kernel_has_mount_setattr(void)
{
    return syscall(SYS_mount_setattr, -1, "", 0, NULL, 0) == 0 || errno != ENOSYS;
}

/* What the runtime answers; nothing when it does not know the question. */
static int ask(const char *runtime_path, const char *question, const struct deadline *by,
               struct buf *answer, struct error *err)
{
    const char *const argv[] = {runtime_path, question, NULL};
    struct process_spec spec = PROCESS_SPEC(argv);
    struct process_io io = {.out = answer};
    int status;

    if (process_run(&spec, &io, by, &status, err) < 0)
        return -1;
    if (status != 0)
        answer->len = 0;
    return 0;
}

int oci_features_load(const char *runtime_path, const struct deadline *by, struct oci_features *out,
                      struct error *err)
{
    AUTO_FINI(buf) told = BUF(ANSWER_MAX), version = BUF(ANSWER_MAX);
    struct deadline until = deadline_sooner(by, LIMIT_MS);
    struct oci_features f = {0};
    struct error unreadable;

    if (ask(runtime_path, "features", &until, &told, err) < 0)
        return -1;
    if (told.len == 0 || oci_features_parse(told.data, told.len, &f, &unreadable) < 0) {
        if (ask(runtime_path, "--version", &until, &version, err) < 0)
            return -1;
        if (version.len == 0 || !oci_features_of_version(version.data, &f))
            f = (struct oci_features){0};
    }
    f.recursive_read_only &= kernel_has_mount_setattr();
    f.idmapped_mounts &= kernel_has_mount_setattr();
    *out = f;
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "oci/features.h"

#include <errno.h>
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
        .recursive_read_only = contains(json_get(tree, "mountOptions"), "rro"),
        .user_namespaces = contains(json_get(linux, "namespaces"), "user"),
        .idmapped_mounts = json_get_flag(json_get(extensions, "idmap"), "enabled", false),
        .seccomp = is_enabled(tree, "seccomp"),
        .apparmor = is_enabled(tree, "apparmor"),
        .selinux = is_enabled(tree, "selinux"),
        .cgroup_v1 = json_get_flag(cgroup, "v1", false),
        .cgroup_v2 = json_get_flag(cgroup, "v2", false),
        .systemd_cgroups = json_get_flag(cgroup, "systemd", false),
    };
    return 0;
}

/* The system call that makes mounts read-only with everything below, since Linux 5.12. */
static bool kernel_has_mount_setattr(void)
{
    return syscall(SYS_mount_setattr, -1, "", 0, NULL, 0) == 0 || errno != ENOSYS;
}

int oci_features_load(const char *runtime_path, const struct deadline *by, struct oci_features *out,
                      struct error *err)
{
    const char *const argv[] = {runtime_path, "features", NULL};
    struct process_spec spec = PROCESS_SPEC(argv);
    AUTO_FINI(buf) answer = BUF(ANSWER_MAX);
    struct process_io io = {.out = &answer};
    struct deadline until = deadline_sooner(by, LIMIT_MS);
    struct error unreadable;
    int status;

    if (process_run(&spec, &io, &until, &status, err) < 0)
        return -1;
    *out = (struct oci_features){0};
    if (status == 0 && answer.len > 0 &&
        oci_features_parse(answer.data, answer.len, out, &unreadable) < 0)
        *out = (struct oci_features){0};
    out->recursive_read_only &= kernel_has_mount_setattr();
    return 0;
}

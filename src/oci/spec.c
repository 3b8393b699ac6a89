// SPDX-License-Identifier: Apache-2.0
#include "oci/spec.h"

#include <string.h>

#include "base/json.h"
#include "base/own.h"
#include "base/utf8.h"
#include "oci/base_spec.h"
#include "oci/build.h"

/* The oldest version of the specification whose readers know all that is written here. */
static const char OCI_VERSION[] = "1.0.2";

static const Runtime__V1__LinuxContainerSecurityContext NO_SECURITY =
    RUNTIME__V1__LINUX_CONTAINER_SECURITY_CONTEXT__INIT;

/* A privileged container needs a pod that says it may have one. */
static int check_privileged(const struct build *b, struct error *err)
{
    const Runtime__V1__LinuxPodSandboxConfig *pod = b->in->pod_config->linux;

    if (b->privileged && (!pod || !pod->security_context || !pod->security_context->privileged))
        return error_set(err, ERROR_INVALID, "no privileged container allowed in sandbox");
    return 0;
}

static int check_metadata(const struct build *b, struct error *err)
{
    if (!b->in->pod_config->metadata || !b->in->config->metadata)
        return error_set(err, ERROR_INVALID, "%s is missing",
                         b->in->pod_config->metadata ? "config.metadata"
                                                     : "sandbox_config.metadata");
    return 0;
}

static void add_root(struct build *b)
{
    struct json_object *root = json_add_object(b->spec, "root");

    json_add_str(root, "path", "rootfs");
    json_add_flag(root, "readonly", b->security->readonly_rootfs);
}

static int add_paths(struct build *b, const char *key, const char *field, char **paths, size_t n,
                     struct error *err)
{
    struct json_object *to = n == 0 || b->privileged ? NULL : json_add_array(b->linux, key);

    for (size_t i = 0; i < n; i++) {
        if (*paths[i] != '/')
            return error_set(err, ERROR_INVALID, "%s: \"%s\" is not absolute", field, paths[i]);
        if (to)
            json_add_str(to, NULL, paths[i]);
    }
    return 0;
}

/* What the client does not ask to be masked is not: there is no list of ours. */
static int add_hidden_paths(struct build *b, struct error *err)
{
    const Runtime__V1__LinuxContainerSecurityContext *s = b->security;

    if (add_paths(b, "maskedPaths", "masked_paths", s->masked_paths, s->n_masked_paths, err) < 0)
        return -1;
    return add_paths(b, "readonlyPaths", "readonly_paths", s->readonly_paths, s->n_readonly_paths,
                     err);
}

static int check_text(const struct build *b, struct error *err)
{
    const char *text = json_text(b->spec);

    if (!utf8_is_valid(text, strlen(text)))
        return error_set(err, ERROR_INVALID, "the request contains text that is not UTF-8");
    return 0;
}

static int add_all(struct build *b, struct error *err)
{
    if (check_metadata(b, err) < 0 || check_privileged(b, err) < 0)
        return -1;
    json_add_str(b->spec, "ociVersion", OCI_VERSION);
    b->process = json_add_object(b->spec, "process");
    add_root(b);
    b->linux = json_object_new_object();
    json_add(b->spec, "linux", b->linux);

    if (oci_process_add(b, err) < 0 || oci_capabilities_add(b, err) < 0)
        return -1;
    if (oci_namespaces_add(b, err) < 0 || oci_resources_add(b, err) < 0 ||
        oci_classes_add(b, err) < 0 || oci_devices_add(b, err) < 0)
        return -1;
    json_add_str(b->linux, "cgroupsPath", b->in->cgroups_path);
    if (add_hidden_paths(b, err) < 0)
        return -1;
    if (oci_selinux_add(b, err) < 0 || oci_apparmor_add(b, err) < 0 || oci_seccomp_add(b, err) < 0)
        return -1;
    /* Mounts are last, since missing folders are made for them. */
    if (oci_annotations_add(b, err) < 0 || oci_cdi_add(b, err) < 0 || oci_mounts_add(b, err) < 0)
        return -1;
    base_spec_apply(b->in->policy.base_spec, b->privileged, b->spec);
    cdi_edits_apply_mounts(&b->cdi, b->spec);
    return check_text(b, err);
}

int oci_spec_build(const struct oci_input *in, struct json_object **out, struct error *err)
{
    const Runtime__V1__LinuxContainerConfig *linux = in->config->linux;
    JSON_AUTO *spec = json_object_new_object();
    struct build b = {.in = in, .spec = spec};
    int outcome;

    b.security = linux && linux->security_context ? linux->security_context : &NO_SECURITY;
    b.privileged = b.security->privileged;
    outcome = add_all(&b, err);
    cdi_edits_fini(&b.cdi);
    if (outcome < 0)
        return -1;
    *out = TAKE(spec);
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <fcntl.h>

#include "oci/golden_message.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/strv.h"

/* golden_fields: for tests: which fields of a request make a difference. A field that is taken out
 * of a request and changes nothing was not read, in that request; one that never changes anything
 * is either read elsewhere, or forgotten. */

/* Those of which it is known, as runtime.v1.Mount.readonly. */
static struct strv golden_fields_read;

/* What comes of the request as it is now: a text of the caller's. */
typedef char *golden_fields_outcome(void *request);

static inline char *golden_fields_name(const ProtobufCMessageDescriptor *type,
                                       const ProtobufCFieldDescriptor *field)
{
    return xasprintf("%s.%s", type->name, field->name);
}

/* Takes it out. */
static inline void golden_fields_clear(ProtobufCMessage *message,
                                       const ProtobufCFieldDescriptor *field)
{
    char *at = (char *)message + field->offset;

    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        *(size_t *)((char *)message + field->quantifier_offset) = 0;
    else if (field->type == PROTOBUF_C_TYPE_STRING)
        *(const char **)at = "";
    else
        memset(at, 0, golden_size(field));
}

static inline void golden_fields_try(ProtobufCMessage *message, golden_fields_outcome *outcome,
                                     void *request, const char *whole);

/* The messages in it. */
static inline void golden_fields_descend(ProtobufCMessage *message,
                                         const ProtobufCFieldDescriptor *field,
                                         golden_fields_outcome *outcome, void *request,
                                         const char *whole)
{
    char *at = (char *)message + field->offset;
    bool is_list = field->label == PROTOBUF_C_LABEL_REPEATED;
    size_t n = is_list ? *(size_t *)((char *)message + field->quantifier_offset) : 1;
    ProtobufCMessage **items = is_list ? *(ProtobufCMessage ***)at : (ProtobufCMessage **)at;

    for (size_t i = 0; i < n; i++)
        if (items[i])
            golden_fields_try(items[i], outcome, request, whole);
}

/* Takes each field of it out for once, and puts it back. */
static inline void golden_fields_try(ProtobufCMessage *message, golden_fields_outcome *outcome,
                                     void *request, const char *whole)
{
    size_t size = message->descriptor->sizeof_message;
    AUTO_FREE void *kept = xmemdup(message, size);

    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        AUTO_FREE char *name = golden_fields_name(message->descriptor, field), *without = NULL;

        if (field->type == PROTOBUF_C_TYPE_MESSAGE)
            golden_fields_descend(message, field, outcome, request, whole);
        golden_fields_clear(message, field);
        without = outcome(request);
        memcpy(message, kept, size);
        if (strcmp(without, whole) != 0 && !strv_contains(&golden_fields_read, name))
            strv_add(&golden_fields_read, name);
    }
}

/* --- all there are --- */

/* A field that the specification does not tell of, and a file that shows what it does, or "". */
struct golden_fields_other {
    const char *name, *file;
};

/* What a request says that does not come into config.json, or comes into it from elsewhere; ""
 * where nothing is to come of it: it is given back, or for pods that have a process of their own.
 */
static const struct golden_fields_other golden_fields_others[] = {
    {"runtime.v1.ContainerMetadata.attempt", "tests/scenario/380-requests-are-jobs.py"},
    {"runtime.v1.ImageSpec.image", "tests/scenario/berth.py"},
    {"runtime.v1.ImageSpec.annotations", ""},
    {"runtime.v1.ImageSpec.runtime_handler", ""},
    {"runtime.v1.ImageSpec.image_ref", ""},
    {"runtime.v1.Mount.selinux_relabel", "src/oci/selinux_test.c"},
    {"runtime.v1.Mount.propagation", "src/oci/mounts_test.c"},
    {"runtime.v1.Mount.image", "tests/scenario/160-image-volumes.py"},
    {"runtime.v1.Mount.image_sub_path", "tests/scenario/160-image-volumes.py"},
    {"runtime.v1.ContainerConfig.labels", "tests/scenario/320-lists-and-filters.py"},
    {"runtime.v1.ContainerConfig.LabelsEntry.key", ""},
    {"runtime.v1.ContainerConfig.LabelsEntry.value", ""},
    {"runtime.v1.ContainerConfig.log_path", "tests/scenario/030-logs-have-the-cri-format.py"},
    {"runtime.v1.ContainerConfig.stdin", "tests/scenario/220-attach.py"},
    {"runtime.v1.ContainerConfig.stdin_once", "tests/scenario/220-attach.py"},
    {"runtime.v1.ContainerConfig.stop_signal", "tests/scenario/330-stop-to-the-letter.py"},
    {"runtime.v1.ContainerConfig.windows", ""},
    {"runtime.v1.NamespaceOption.network", "tests/scenario/354-as-the-client-asks.py"},
    {"runtime.v1.NamespaceOption.pid", "tests/scenario/354-as-the-client-asks.py"},
    {"runtime.v1.NamespaceOption.target_id", "tests/scenario/354-as-the-client-asks.py"},
    {"runtime.v1.LinuxContainerSecurityContext.run_as_username", "src/oci/user_test.c"},
    {"runtime.v1.LinuxContainerSecurityContext.supplemental_groups", "src/oci/user_test.c"},
    {"runtime.v1.LinuxContainerSecurityContext.supplemental_groups_policy", "src/oci/user_test.c"},
    {"runtime.v1.PodSandboxMetadata.attempt", "tests/scenario/380-requests-are-jobs.py"},
    {"runtime.v1.PodSandboxConfig.log_directory", "tests/scenario/berth.py"},
    {"runtime.v1.PodSandboxConfig.dns_config", "tests/scenario/350-what-a-container-is-given.py"},
    {"runtime.v1.DNSConfig.servers", "tests/scenario/010-a-pod-from-start-to-end.py"},
    {"runtime.v1.DNSConfig.searches", "tests/scenario/010-a-pod-from-start-to-end.py"},
    {"runtime.v1.DNSConfig.options", "tests/scenario/010-a-pod-from-start-to-end.py"},
    {"runtime.v1.PodSandboxConfig.port_mappings", "src/net/ports_test.c"},
    {"runtime.v1.PortMapping.protocol", "src/net/ports_test.c"},
    {"runtime.v1.PortMapping.container_port", "src/net/ports_test.c"},
    {"runtime.v1.PortMapping.host_port", "src/net/ports_test.c"},
    {"runtime.v1.PortMapping.host_ip", "src/net/ports_test.c"},
    {"runtime.v1.PodSandboxConfig.labels", "tests/scenario/320-lists-and-filters.py"},
    {"runtime.v1.PodSandboxConfig.LabelsEntry.key", ""},
    {"runtime.v1.PodSandboxConfig.LabelsEntry.value", ""},
    {"runtime.v1.PodSandboxConfig.windows", ""},
    {"runtime.v1.LinuxPodSandboxConfig.cgroup_parent",
     "tests/scenario/350-what-a-container-is-given.py"},
    {"runtime.v1.LinuxPodSandboxConfig.sysctls", "tests/scenario/350-what-a-container-is-given.py"},
    {"runtime.v1.LinuxPodSandboxConfig.SysctlsEntry.key", ""},
    {"runtime.v1.LinuxPodSandboxConfig.SysctlsEntry.value", ""},
    {"runtime.v1.LinuxPodSandboxConfig.overhead", "tests/scenario/310-resources-are-updated.py"},
    {"runtime.v1.LinuxPodSandboxConfig.resources", "tests/scenario/310-resources-are-updated.py"},
    {"runtime.v1.LinuxSandboxSecurityContext.run_as_user",
     "tests/scenario/353-wishes-that-cannot-be.py"},
    {"runtime.v1.LinuxSandboxSecurityContext.run_as_group",
     "tests/scenario/353-wishes-that-cannot-be.py"},
    {"runtime.v1.LinuxSandboxSecurityContext.readonly_rootfs", ""},
    {"runtime.v1.LinuxSandboxSecurityContext.supplemental_groups",
     "tests/scenario/353-wishes-that-cannot-be.py"},
    {"runtime.v1.LinuxSandboxSecurityContext.supplemental_groups_policy",
     "tests/scenario/353-wishes-that-cannot-be.py"},
    {"runtime.v1.LinuxSandboxSecurityContext.seccomp",
     "tests/scenario/353-wishes-that-cannot-be.py"},
    {"runtime.v1.LinuxSandboxSecurityContext.seccomp_profile_path",
     "tests/scenario/353-wishes-that-cannot-be.py"},
    {"runtime.v1.LinuxSandboxSecurityContext.apparmor",
     "tests/scenario/353-wishes-that-cannot-be.py"},
    {NULL, NULL},
};

static inline const char *golden_fields_shown_by(const struct golden_fields_other *others,
                                                 const char *name)
{
    for (; others->name; others++)
        if (strcmp(others->name, name) == 0)
            return others->file;
    return NULL;
}

/* The file is to speak of the field. */
static inline bool golden_fields_is_shown(const char *top, const char *file, const char *field)
{
    AUTO_FREE char *path = xasprintf("%s/%s", top, file);
    AUTO_FINI(buf) text = BUF(1024 * 1024);
    struct error err;

    return file_load(AT_FDCWD, path, &text, &err) == 0 && text.len && strstr(text.data, field);
}

/* Adds to out the names of those that nothing shows. */
static inline void golden_fields_check(const ProtobufCMessageDescriptor *type, const char *top,
                                       const struct golden_fields_other *others,
                                       struct strv *visited, struct strv *out)
{
    if (strv_contains(visited, type->name))
        return;
    strv_add(visited, type->name);
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        AUTO_FREE char *name = golden_fields_name(type, field);
        const char *file = golden_fields_shown_by(others, name);

        if (file && strv_contains(&golden_fields_read, name))
            strv_addf(out, "%s (is shown by a golden file, and need not be listed)", name);
        else if (file && *file && !golden_fields_is_shown(top, file, field->name))
            strv_addf(out, "%s (%s does not speak of it)", name, file);
        else if (!file && !strv_contains(&golden_fields_read, name))
            strv_add(out, name);
        if (field->type == PROTOBUF_C_TYPE_MESSAGE && !(file && !*file))
            golden_fields_check(field->descriptor, top, others, visited, out);
    }
}

// SPDX-License-Identifier: Apache-2.0
#include "pod/sandbox_check.h"

#include <inttypes.h>
#include <string.h>

#include "base/own.h"
#include "base/strv.h"
#include "oci/passwd.h"
#include "oci/profile.h"

enum { HOSTNAME_MAX = 64 };

/* Only containers have a target. */
static int check_mode(const char *field, Runtime__V1__NamespaceMode mode, bool may_be_target,
                      struct error *err)
{
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value(&runtime__v1__namespace_mode__descriptor, (int)mode);

    if (!value)
        return error_set(err, ERROR_UNKNOWN, "namespace_options.%s: %d is not known", field,
                         (int)mode);
    if (mode == RUNTIME__V1__NAMESPACE_MODE__TARGET && !may_be_target)
        return error_set(err, ERROR_UNKNOWN, "namespace_options.%s: TARGET is not for pods", field);
    return 0;
}

static int check_text(const char *field, const char *text, struct error *err)
{
    for (const char *at = text; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            return error_set(err, ERROR_UNKNOWN, "%s: \"%.80s\" has control characters", field,
                             text);
    return 0;
}

static int check_texts(const char *field, char **texts, size_t n, struct error *err)
{
    for (size_t i = 0; i < n; i++)
        if (check_text(field, texts[i], err) < 0)
            return -1;
    return 0;
}

/* Each line of resolv.conf is one of these. */
static int check_dns(const Runtime__V1__DNSConfig *dns, struct error *err)
{
    if (check_texts("dns_config.servers", dns->servers, dns->n_servers, err) < 0 ||
        check_texts("dns_config.searches", dns->searches, dns->n_searches, err) < 0)
        return -1;
    return check_texts("dns_config.options", dns->options, dns->n_options, err);
}

static int check_id(const char *field, int64_t id, struct error *err)
{
    if (id < 0 || id > OCI_PASSWD_ID_MAX)
        return error_set(err, ERROR_UNKNOWN, "%s: %" PRId64 " is out of range", field, id);
    return 0;
}

/* A pod has no process of its own that this would be for; its containers bring theirs. What cannot
 * be meant is refused all the same. */
static int check_security(const Runtime__V1__LinuxSandboxSecurityContext *s, struct error *err)
{
    struct oci_profile unused;

    if ((s->run_as_user && check_id("run_as_user", s->run_as_user->value, err) < 0) ||
        (s->run_as_group && check_id("run_as_group", s->run_as_group->value, err) < 0))
        return -1;
    for (size_t i = 0; i < s->n_supplemental_groups; i++)
        if (check_id("supplemental_groups", s->supplemental_groups[i], err) < 0)
            return -1;
    if (!protobuf_c_enum_descriptor_get_value(&runtime__v1__supplemental_groups_policy__descriptor,
                                              (int)s->supplemental_groups_policy))
        return error_set(err, ERROR_UNKNOWN, "supplemental_groups_policy: %d is not known",
                         (int)s->supplemental_groups_policy);
    if (oci_profile_choose(s->seccomp, s->seccomp_profile_path, "seccomp", &unused, err) < 0 ||
        oci_profile_choose(s->apparmor, "", "apparmor", &unused, err) < 0) {
        err->code = ERROR_UNKNOWN;
        return -1;
    }
    return 0;
}

static int check_linux(const Runtime__V1__LinuxPodSandboxConfig *linux, struct error *err)
{
    const Runtime__V1__NamespaceOption *o =
        linux->security_context ? linux->security_context->namespace_options : NULL;
    AUTO_FINI(strv) parts = {0};

    strv_add_split(&parts, linux->cgroup_parent, '/');
    if (strv_contains(&parts, ".."))
        return error_set(err, ERROR_UNKNOWN, "cgroup_parent: \"%s\" contains \"..\"",
                         linux->cgroup_parent);
    if (check_text("cgroup_parent", linux->cgroup_parent, err) < 0 ||
        (linux->security_context && check_security(linux->security_context, err) < 0))
        return -1;
    if (!o)
        return 0;
    if (check_mode("network", o->network, false, err) < 0 ||
        check_mode("ipc", o->ipc, false, err) < 0)
        return -1;
    return check_mode("pid", o->pid, true, err);
}

int sandbox_check(const Runtime__V1__PodSandboxConfig *config, struct error *err)
{
    if (!config || !config->metadata)
        return error_set(err, ERROR_UNKNOWN, "the sandbox config has no metadata");
    if (strlen(config->hostname) > HOSTNAME_MAX)
        return error_set(err, ERROR_UNKNOWN, "hostname: \"%.80s\" is longer than %d letters",
                         config->hostname, HOSTNAME_MAX);
    if (config->hostname[strcspn(config->hostname, " /")] ||
        check_text("hostname", config->hostname, err) < 0)
        return error_set(err, ERROR_UNKNOWN, "hostname: \"%.80s\" is no name of a host",
                         config->hostname);
    if (*config->log_directory && *config->log_directory != '/')
        return error_set(err, ERROR_UNKNOWN, "log_directory: \"%.200s\" is not absolute",
                         config->log_directory);
    if (config->dns_config && check_dns(config->dns_config, err) < 0)
        return -1;
    return config->linux ? check_linux(config->linux, err) : 0;
}

/* --- pods that nobody trusts --- */

static const char UNTRUSTED_KEY[] = "io.kubernetes.cri.untrusted-workload";
static const char UNTRUSTED[] = "untrusted";

static bool is_untrusted(const Runtime__V1__PodSandboxConfig *config)
{
    for (size_t i = 0; i < config->n_annotations; i++)
        if (strcmp(config->annotations[i]->key, UNTRUSTED_KEY) == 0)
            return strcmp(config->annotations[i]->value, "true") == 0;
    return false;
}

static bool shares_with_node(const Runtime__V1__PodSandboxConfig *config)
{
    const Runtime__V1__LinuxPodSandboxConfig *linux = config->linux;
    const Runtime__V1__NamespaceOption *o =
        linux && linux->security_context ? linux->security_context->namespace_options : NULL;

    return o && (o->network == RUNTIME__V1__NAMESPACE_MODE__NODE ||
                 o->pid == RUNTIME__V1__NAMESPACE_MODE__NODE ||
                 o->ipc == RUNTIME__V1__NAMESPACE_MODE__NODE);
}

const char *sandbox_check_handler(const Runtime__V1__RunPodSandboxRequest *request,
                                  struct error *err)
{
    const char *named = request->runtime_handler;

    if (!is_untrusted(request->config))
        return named;
    if (*named && strcmp(named, UNTRUSTED) != 0) {
        error_set(err, ERROR_UNKNOWN, "annotation %s: it excludes runtime handler \"%s\"",
                  UNTRUSTED_KEY, named);
        return NULL;
    }
    if (shares_with_node(request->config)) {
        error_set(err, ERROR_UNKNOWN, "annotation %s: such a pod has no namespaces of the node",
                  UNTRUSTED_KEY);
        return NULL;
    }
    return UNTRUSTED;
}

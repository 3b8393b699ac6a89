// SPDX-License-Identifier: Apache-2.0
#include "oci/seccomp.h"

#include <fcntl.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "base/own.h"
#include "oci/build.h"
#include "oci/profile.h"
#include "oci/seccomp_check.h"

/* What the runtime specification knows; files have comments and Docker's additions beside it. */
static const char *const MEMBERS[] = {"defaultAction", "defaultErrnoRet",  "architectures", "flags",
                                      "listenerPath",  "listenerMetadata", "syscalls"};

static struct json_object *load(const char *path, struct error *err)
{
    AUTO_FINI(buf) text = BUF(OCI_SECCOMP_PROFILE_MAX);
    JSON_AUTO *file = NULL, *profile = NULL;

    if (*path != '/') {
        error_set(err, ERROR_INVALID, "\"%s\" is no absolute path", path);
        return NULL;
    }
    if (file_load_regular(AT_FDCWD, path, &text, err) < 0)
        return NULL;
    file = json_parse(text.len ? text.data : "", text.len, err);
    if (!file) {
        error_wrap(err, "%s", path);
        return NULL;
    }
    if (seccomp_check(file, err) < 0) {
        error_wrap(err, "%s", path);
        return NULL;
    }
    profile = json_object_new_object();
    for (size_t i = 0; i < COUNT_OF(MEMBERS); i++)
        if (json_get(file, MEMBERS[i]))
            json_add(profile, MEMBERS[i], json_object_get(json_get(file, MEMBERS[i])));
    return TAKE(profile);
}

int oci_seccomp_add(struct build *b, struct error *err)
{
    struct json_object *filter;
    struct oci_profile profile;

    if (b->privileged)
        return 0;
    if (oci_profile_choose(b->security->seccomp, b->security->seccomp_profile_path, "seccomp",
                           &profile, err) < 0)
        return -1;
    if (profile.kind == OCI_PROFILE_UNSET && b->in->policy.unset_seccomp_profile &&
        oci_profile_choose(NULL, b->in->policy.unset_seccomp_profile, "unset_seccomp_profile",
                           &profile, err) < 0)
        return -1;
    if (profile.kind == OCI_PROFILE_UNSET || profile.kind == OCI_PROFILE_NONE)
        return 0;
    if (!b->in->host->has_seccomp)
        return error_set(err, ERROR_PRECONDITION,
                         "seccomp is not supported by the kernel, and profile %s was asked for",
                         profile.kind == OCI_PROFILE_LOCAL ? profile.name : "RuntimeDefault");
    filter = profile.kind == OCI_PROFILE_LOCAL ? load(profile.name, err)
                                               : oci_seccomp_default(b->in->host, b->capabilities);
    if (!filter)
        return error_wrap(err, "seccomp.localhost_ref");
    json_add(b->linux, "seccomp", filter);
    return 0;
}

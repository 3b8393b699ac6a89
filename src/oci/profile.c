// SPDX-License-Identifier: Apache-2.0
#include "oci/profile.h"

#include <string.h>

#include "base/own.h"

static const char LOCALHOST[] = "localhost/";

static const struct {
    const char *text;
    enum oci_profile_kind kind;
} OLD_TEXTS[] = {
    {"", OCI_PROFILE_UNSET},
    {"runtime/default", OCI_PROFILE_DEFAULT},
    {"docker/default", OCI_PROFILE_DEFAULT},
    {"unconfined", OCI_PROFILE_NONE},
};

static int choose_local(const char *ref, const char *field, struct oci_profile *out,
                        struct error *err)
{
    size_t prefix = strncmp(ref, LOCALHOST, strlen(LOCALHOST)) == 0 ? strlen(LOCALHOST) : 0;

    if (!ref[prefix])
        return error_set(err, ERROR_INVALID, "%s.localhost_ref is empty", field);
    *out = (struct oci_profile){.kind = OCI_PROFILE_LOCAL, .name = ref + prefix};
    return 0;
}

static int choose_old(const char *old, const char *field, struct oci_profile *out,
                      struct error *err)
{
    for (size_t i = 0; i < COUNT_OF(OLD_TEXTS); i++)
        if (strcmp(old, OLD_TEXTS[i].text) == 0) {
            *out = (struct oci_profile){.kind = OLD_TEXTS[i].kind};
            return 0;
        }
    if (strncmp(old, LOCALHOST, strlen(LOCALHOST)) == 0)
        return choose_local(old, field, out, err);
    return error_set(err, ERROR_INVALID, "%s profile \"%s\" is not known", field, old);
}

int oci_profile_choose(const Runtime__V1__SecurityProfile *profile, const char *old,
                       const char *field, struct oci_profile *out, struct error *err)
{
    if (!profile)
        return choose_old(old, field, out, err);
    if (profile->profile_type == RUNTIME__V1__SECURITY_PROFILE__PROFILE_TYPE__Localhost)
        return choose_local(profile->localhost_ref, field, out, err);
    if (*profile->localhost_ref)
        return error_set(err, ERROR_INVALID,
                         "%s.localhost_ref \"%s\" is only for the type Localhost", field,
                         profile->localhost_ref);
    switch (profile->profile_type) {
    case RUNTIME__V1__SECURITY_PROFILE__PROFILE_TYPE__RuntimeDefault:
        *out = (struct oci_profile){.kind = OCI_PROFILE_DEFAULT};
        return 0;
    case RUNTIME__V1__SECURITY_PROFILE__PROFILE_TYPE__Unconfined:
        *out = (struct oci_profile){.kind = OCI_PROFILE_NONE};
        return 0;
    default:
        return error_set(err, ERROR_INVALID, "%s.profile_type: %d is not known", field,
                         (int)profile->profile_type);
    }
}

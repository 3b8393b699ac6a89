// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.h"
#include "cri.pb-c.h"

/* profile: which profile of a security module (seccomp, AppArmor) a client asks for. Any thread. */
enum oci_profile_kind {
    OCI_PROFILE_UNSET, /* it says nothing */
    OCI_PROFILE_NONE,
    OCI_PROFILE_DEFAULT,
    OCI_PROFILE_LOCAL,
};

struct oci_profile {
    enum oci_profile_kind kind;
    const char *name; /* of a local one, without localhost/; borrowed from the request */
};

/* The old field, such as "localhost/x", counts when profile is NULL. field is for the words. */
MUST_CHECK int oci_profile_choose(const Runtime__V1__SecurityProfile *profile, const char *old,
                                  const char *field, struct oci_profile *out, struct error *err);

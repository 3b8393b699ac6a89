// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* passwd: the texts of etc/passwd and etc/group. Lines that are not as they should be are passed
 * over; of several that fit the first counts. Nothing is copied; any thread. */
enum { OCI_PASSWD_GROUPS_MAX = 65536 };

/* 0..2^31-1, as the kernel and Kubernetes agree to have ids. */
#define OCI_PASSWD_ID_MAX INT32_MAX

struct oci_passwd_user {
    const char *name; /* without NUL: in the text */
    size_t name_len;
    uint32_t uid;
    uint32_t gid;
    const char *home; /* likewise; NULL where the line has no such field */
    size_t home_len;
};

bool oci_passwd_find_name(const char *text, size_t len, const char *name,
                          struct oci_passwd_user *out);
bool oci_passwd_find_uid(const char *text, size_t len, uint32_t uid, struct oci_passwd_user *out);
bool oci_passwd_find_group(const char *text, size_t len, const char *name, uint32_t *out_gid);

/* The ids of the groups that list the user, but for one named like it. The caller frees. */
MUST_CHECK int oci_passwd_groups_of(const char *text, size_t len, const char *user, uint32_t **out,
                                    size_t *out_n, struct error *err);

/* Decimal digits only, up to OCI_PASSWD_ID_MAX. */
bool oci_passwd_parse_id(const char *text, size_t len, uint32_t *out);

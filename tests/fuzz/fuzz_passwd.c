// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/own.h"
#include "oci/passwd.h"

/* etc/passwd and etc/group come out of images; whom to look for is the text's first line. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const char *text = (const char *)data;
    const char *end = len ? memchr(text, '\n', len) : NULL;
    size_t first = end ? (size_t)(end - text) : len;
    AUTO_FREE char *name = xstrndup(len ? text : "", first);
    AUTO_FREE uint32_t *groups = NULL;
    struct oci_passwd_user user, same;
    size_t n = 0;
    uint32_t gid;
    struct error err;

    if (end) {
        text += first + 1;
        len -= first + 1;
    } else {
        len = 0;
    }
    if (oci_passwd_find_name(text, len, name, &user)) {
        assert(user.name_len == strlen(name) && user.uid <= OCI_PASSWD_ID_MAX);
        assert(user.name >= text && user.name + user.name_len <= text + len);
        assert(oci_passwd_find_uid(text, len, user.uid, &same) && same.uid == user.uid);
    }
    if (oci_passwd_find_group(text, len, name, &gid))
        assert(gid <= OCI_PASSWD_ID_MAX);
    if (oci_passwd_groups_of(text, len, name, &groups, &n, &err) == 0)
        assert(n <= len);
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "oci/user.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/own.h"
#include "oci/passwd.h"

enum { FILE_MAX_BYTES = 10 * 1024 * 1024 };

static const Runtime__V1__LinuxContainerSecurityContext NO_SECURITY =
    RUNTIME__V1__LINUX_CONTAINER_SECURITY_CONTEXT__INIT;

/* What is being resolved, and from what. */
struct resolution {
    const Runtime__V1__LinuxContainerSecurityContext *security;
    struct buf passwd;
    struct buf group;
    char *user;         /* as asked for, "" when nobody says */
    char *primary;      /* group as asked for, "" likewise */
    struct oci_user to; /* what it came to */
};

static void resolution_fini(struct resolution *r)
{
    buf_fini(&r->passwd);
    buf_fini(&r->group);
    free(r->user);
    free(r->primary);
    oci_user_fini(&r->to);
}

void oci_user_fini(struct oci_user *u)
{
    free(u->groups);
    free(u->name);
    *u = (struct oci_user){0};
}

/* Reads a file of the image; one that is not there is empty. It is looked at before it is opened,
 * since to open a device or a pipe can do anything. */
static int load(int root_fd, const char *path, struct buf *out, struct error *err)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    AUTO_CLOSE int fd = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof how);
    char self[64];
    struct stat st;

    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    if (fd < 0 || fstat(fd, &st) < 0)
        return error_errno(err, errno, "open /%s of the image", path);
    if (!S_ISREG(st.st_mode))
        return error_set(err, ERROR_INVALID, "/%s of the image is not a regular file", path);
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    if (file_load(AT_FDCWD, self, out, err) < 0)
        return error_wrap(err, "/%s of the image", path);
    return 0;
}

static int check_id(const char *field, const Runtime__V1__Int64Value *id, struct error *err)
{
    if (id && (id->value < 0 || id->value > OCI_PASSWD_ID_MAX))
        return error_set(err, ERROR_INVALID, "%s: %" PRId64 " is out of range", field, id->value);
    return 0;
}

/* Whom the client asks for, or else the image: "user", "user:group" or "". */
static int choose(struct resolution *r, const char *image_user, struct error *err)
{
    const Runtime__V1__LinuxContainerSecurityContext *s = r->security;
    const char *colon = strchr(image_user, ':');

    if (check_id("run_as_user", s->run_as_user, err) < 0 ||
        check_id("run_as_group", s->run_as_group, err) < 0)
        return -1;
    if (!*s->run_as_username && !s->run_as_user) {
        if (s->run_as_group)
            return error_set(err, ERROR_INVALID,
                             "run_as_group: %" PRId64 " is given without a user",
                             s->run_as_group->value);
        if (colon && strchr(colon + 1, ':'))
            return error_set(err, ERROR_INVALID, "invalid USER value \"%s\" of the image",
                             image_user);
        r->user = colon ? xstrndup(image_user, (size_t)(colon - image_user)) : xstrdup(image_user);
        r->primary = xstrdup(colon ? colon + 1 : "");
        return 0;
    }
    r->user = *s->run_as_username ? xstrdup(s->run_as_username)
                                  : xasprintf("%" PRId64, s->run_as_user->value);
    r->primary = s->run_as_group ? xasprintf("%" PRId64, s->run_as_group->value) : xstrdup("");
    return 0;
}

/* A number need not be in etc/passwd, a name must. Nobody is root. */
static int resolve_user(struct resolution *r, struct error *err)
{
    struct oci_passwd_user found;
    const char *user = r->user ? r->user : "";
    const char *text = r->passwd.data;
    size_t len = r->passwd.len;
    bool is_number = oci_passwd_parse_id(user, strlen(user), &r->to.uid);
    bool is_there = is_number || !*user ? oci_passwd_find_uid(text, len, r->to.uid, &found)
                                        : oci_passwd_find_name(text, len, user, &found);

    if (!is_there && !is_number && *user)
        return error_set(err, ERROR_INVALID, "user \"%s\" is not in /etc/passwd of the image",
                         user);
    if (!is_there)
        return 0;
    r->to.uid = found.uid;
    if (*user)
        r->to.gid = found.gid;
    r->to.name = xstrndup(found.name, found.name_len);
    return 0;
}

static int resolve_group(struct resolution *r, struct error *err)
{
    if (!*r->primary || oci_passwd_parse_id(r->primary, strlen(r->primary), &r->to.gid) ||
        oci_passwd_find_group(r->group.data, r->group.len, r->primary, &r->to.gid))
        return 0;
    return error_set(err, ERROR_INVALID, "group \"%s\" is not in /etc/group of the image",
                     r->primary);
}

static void add_group(struct oci_user *u, uint32_t gid)
{
    u->groups = xrealloc(u->groups, (u->n_groups + 1) * sizeof *u->groups);
    u->groups[u->n_groups++] = gid;
}

static int by_number(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

    return a < b ? -1 : a > b;
}

static void sort_groups(struct oci_user *u)
{
    size_t kept = 0;

    if (u->n_groups > 0)
        qsort(u->groups, u->n_groups, sizeof *u->groups, by_number);
    for (size_t i = 0; i < u->n_groups; i++)
        if (i == 0 || u->groups[i] != u->groups[kept - 1])
            u->groups[kept++] = u->groups[i];
    u->n_groups = kept;
}

/* Merge takes those of the image too; Strict what is asked for and no more. */
static int resolve_groups(struct resolution *r, struct error *err)
{
    Runtime__V1__SupplementalGroupsPolicy policy = r->security->supplemental_groups_policy;
    bool merge = policy == RUNTIME__V1__SUPPLEMENTAL_GROUPS_POLICY__Merge;
    struct oci_user *to = &r->to;

    if (!merge && policy != RUNTIME__V1__SUPPLEMENTAL_GROUPS_POLICY__Strict)
        return error_set(err, ERROR_INVALID, "supplemental_groups_policy: %d is not known",
                         (int)policy);
    if (merge && to->name &&
        oci_passwd_groups_of(r->group.data, r->group.len, to->name, &to->groups, &to->n_groups,
                             err) < 0)
        return -1;
    if (merge || *r->user)
        add_group(to, to->gid);
    if (r->security->n_supplemental_groups > OCI_PASSWD_GROUPS_MAX)
        return error_set(err, ERROR_EXHAUSTED, "supplemental_groups: more than %d",
                         OCI_PASSWD_GROUPS_MAX);
    for (size_t i = 0; i < r->security->n_supplemental_groups; i++) {
        int64_t gid = r->security->supplemental_groups[i];

        if (gid < 0 || gid > OCI_PASSWD_ID_MAX)
            return error_set(err, ERROR_INVALID, "supplemental_groups: %" PRId64 " is out of range",
                             gid);
        add_group(to, (uint32_t)gid);
    }
    sort_groups(to);
    return 0;
}

int oci_user_resolve(int root_fd, const Runtime__V1__ContainerConfig *config,
                     const char *image_user, struct oci_user *out, struct error *err)
{
    const Runtime__V1__LinuxContainerConfig *linux = config->linux;
    AUTO_FINI(resolution)
    r = {.security = linux && linux->security_context ? linux->security_context : &NO_SECURITY,
         .passwd = BUF(FILE_MAX_BYTES),
         .group = BUF(FILE_MAX_BYTES)};

    if (choose(&r, image_user ? image_user : "", err) < 0 ||
        load(root_fd, "etc/passwd", &r.passwd, err) < 0 ||
        load(root_fd, "etc/group", &r.group, err) < 0 || resolve_user(&r, err) < 0 ||
        resolve_group(&r, err) < 0 || resolve_groups(&r, err) < 0)
        return -1;
    *out = r.to;
    r.to = (struct oci_user){0};
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "oci/passwd.h"

#include <string.h>

#include "base/own.h"

enum { FIELDS_MAX = 8 };

/* A piece of the text. */
struct piece {
    const char *at;
    size_t len;
};

bool oci_passwd_parse_id(const char *text, size_t len, uint32_t *out)
{
    uint64_t value = 0;

    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(text[i] - '0');
        if (value > OCI_PASSWD_ID_MAX)
            return false;
    }
    *out = (uint32_t)value;
    return len > 0;
}

static bool is(struct piece p, const char *text)
{
    return p.len == strlen(text) && memcmp(p.at, text, p.len) == 0;
}

/* Cuts the piece before the first separator off rest; false when nothing is left. */
static bool cut(struct piece *rest, char separator, struct piece *out)
{
    const char *end;

    if (!rest->at)
        return false;
    end = rest->len ? memchr(rest->at, separator, rest->len) : NULL;
    out->at = rest->at;
    out->len = end ? (size_t)(end - rest->at) : rest->len;
    *rest = end ? (struct piece){end + 1, rest->len - out->len - 1} : (struct piece){NULL, 0};
    return true;
}

/* The fields of the next line that has at least n of them; those that it has not are empty. */
static bool next_line(struct piece *text, struct piece fields[static FIELDS_MAX], size_t n)
{
    struct piece line;

    while (cut(text, '\n', &line)) {
        size_t found = 0;

        if (line.len > 0 && line.at[line.len - 1] == '\r')
            line.len--;
        while (found < FIELDS_MAX && cut(&line, ':', &fields[found]))
            found++;
        for (size_t i = found; i < FIELDS_MAX; i++)
            fields[i] = (struct piece){NULL, 0};
        if (found >= n && fields[0].len > 0 && fields[0].at[0] != '#')
            return true;
    }
    return false;
}

/* name:password:uid:gid:comment:home:... */
static bool next_user(struct piece *text, struct oci_passwd_user *out)
{
    struct piece fields[FIELDS_MAX];

    while (next_line(text, fields, 4)) {
        if (!oci_passwd_parse_id(fields[2].at, fields[2].len, &out->uid) ||
            !oci_passwd_parse_id(fields[3].at, fields[3].len, &out->gid))
            continue;
        out->name = fields[0].at;
        out->name_len = fields[0].len;
        out->home = fields[5].at;
        out->home_len = fields[5].len;
        return true;
    }
    return false;
}

struct group {
    struct piece name, members;
    uint32_t gid;
};

/* name:password:gid:member,member */
static bool next_group(struct piece *text, struct group *out)
{
    struct piece fields[FIELDS_MAX] = {0};

    while (next_line(text, fields, 3)) {
        if (!oci_passwd_parse_id(fields[2].at, fields[2].len, &out->gid))
            continue;
        out->name = fields[0];
        out->members = fields[3];
        return true;
    }
    return false;
}

bool oci_passwd_find_name(const char *text, size_t len, const char *name,
                          struct oci_passwd_user *out)
{
    struct piece rest = {text, len};
    struct oci_passwd_user user;

    while (next_user(&rest, &user))
        if (is((struct piece){user.name, user.name_len}, name)) {
            *out = user;
            return true;
        }
    return false;
}

bool oci_passwd_find_uid(const char *text, size_t len, uint32_t uid, struct oci_passwd_user *out)
{
    struct piece rest = {text, len};
    struct oci_passwd_user user;

    while (next_user(&rest, &user))
        if (user.uid == uid) {
            *out = user;
            return true;
        }
    return false;
}

bool oci_passwd_find_group(const char *text, size_t len, const char *name, uint32_t *out_gid)
{
    struct piece rest = {text, len};
    struct group group;

    while (next_group(&rest, &group))
        if (is(group.name, name)) {
            *out_gid = group.gid;
            return true;
        }
    return false;
}

static bool has_member(const struct group *group, const char *user)
{
    struct piece rest = group->members, member;

    while (cut(&rest, ',', &member))
        if (is(member, user))
            return true;
    return false;
}

int oci_passwd_groups_of(const char *text, size_t len, const char *user, uint32_t **out,
                         size_t *out_n, struct error *err)
{
    struct piece rest = {text, len};
    AUTO_FREE uint32_t *gids = NULL;
    struct group group;
    size_t n = 0;

    while (next_group(&rest, &group)) {
        if (is(group.name, user) || !has_member(&group, user))
            continue;
        if (n == OCI_PASSWD_GROUPS_MAX)
            return error_set(err, ERROR_EXHAUSTED, "user \"%s\" is in more than %d groups", user,
                             OCI_PASSWD_GROUPS_MAX);
        gids = xrealloc(gids, (n + 1) * sizeof *gids);
        gids[n++] = group.gid;
    }
    *out = TAKE(gids);
    *out_n = n;
    return 0;
}

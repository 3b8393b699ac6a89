// SPDX-License-Identifier: Apache-2.0
#include "oci/mountinfo.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"

/* 36 35 98:0 /root /mount/point rw,noatime shared:1 master:2 - ext4 /dev/sda1 rw,errors=continue
 * There are any number of optional fields before the dash. */
enum { FIELD_MOUNT_POINT = 4, FIELD_FIRST_OPTIONAL = 6 };

/* Blanks are written as octal numbers, such as \040. */
static void unescape(char *text)
{
    char *to = text;

    for (const char *from = text; *from; to++) {
        unsigned value;

        if (from[0] == '\\' && sscanf(from + 1, "%3o", &value) == 1) { /* NOLINT */
            *to = (char)value;
            from += 4;
        } else {
            *to = *from++;
        }
    }
    *to = '\0';
}

/* Splits the line; false when it is of another form. Points into the line. */
static bool parse_line(char *line, struct oci_mountinfo *out)
{
    char *rest = line, *field;
    int i = 0;

    *out = (struct oci_mountinfo){0};
    line[strcspn(line, "\n")] = '\0';
    for (; (field = strsep(&rest, " ")); i++) {
        if (i == FIELD_MOUNT_POINT)
            out->mount_point = field;
        if (i >= FIELD_FIRST_OPTIONAL && strcmp(field, "-") == 0)
            break;
        if (i >= FIELD_FIRST_OPTIONAL) {
            out->shared |= strncmp(field, "shared:", 7) == 0;
            out->slave |= strncmp(field, "master:", 7) == 0;
        }
    }
    if (!field || !strsep(&rest, " ") || !strsep(&rest, " ") || !rest)
        return false;
    out->super_options = rest;
    unescape(out->mount_point);
    return true;
}

static bool contains(const char *mount_point, const char *path)
{
    size_t len = strlen(mount_point);

    if (len == 1)
        return true; /* "/" */
    return strncmp(mount_point, path, len) == 0 && (path[len] == '/' || !path[len]);
}

/* The longest wins, and of several on one place the last, which is on top. */
static void keep_better(struct oci_mountinfo *best, const struct oci_mountinfo *line,
                        const char *path)
{
    if (!contains(line->mount_point, path) ||
        (best->mount_point && strlen(line->mount_point) < strlen(best->mount_point)))
        return;
    oci_mountinfo_fini(best);
    *best = *line;
    best->mount_point = xstrdup(line->mount_point);
    best->super_options = xstrdup(line->super_options);
}

int oci_mountinfo_find(const char *path, struct oci_mountinfo *out, struct error *err)
{
    FILE *file = fopen("/proc/self/mountinfo", "re");
    struct oci_mountinfo best = {0}, line;
    AUTO_FREE char *text = NULL;
    size_t size = 0;

    if (!file)
        return error_errno(err, errno, "open /proc/self/mountinfo");
    while (getline(&text, &size, file) >= 0)
        if (parse_line(text, &line))
            keep_better(&best, &line, path);
    fclose(file);
    if (!best.mount_point)
        return error_set(err, ERROR_NOT_FOUND, "%s is on no mount", path);
    *out = best;
    return 0;
}

void oci_mountinfo_fini(struct oci_mountinfo *m)
{
    free(m->mount_point);
    free(m->super_options);
    *m = (struct oci_mountinfo){0};
}

// SPDX-License-Identifier: Apache-2.0
#include "shim/cgroup_places.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/own.h"

enum { PROC_FILE_MAX = 64 * 1024 };

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool lists(const char *controllers, size_t len, const char *name)
{
    size_t name_len = strlen(name);

    for (size_t at = 0; at < len;) {
        size_t end = at;

        while (end < len && controllers[end] != ',')
            end++;
        if (end - at == name_len && memcmp(controllers + at, name, name_len) == 0)
            return true;
        at = end + 1;
    }
    return false;
}

/* The path behind the line "<n>:<controllers>:<path>" of /proc/<pid>/cgroup; "" names version 2. */
static char *find_path(const char *text, const char *controller)
{
    for (const char *line = text; line && *line;) {
        const char *end = strchrnul(line, '\n');
        const char *first = memchr(line, ':', (size_t)(end - line));
        const char *second = first ? memchr(first + 1, ':', (size_t)(end - first - 1)) : NULL;
        size_t len = second ? (size_t)(second - first - 1) : 0;

        if (second && (*controller ? lists(first + 1, len, controller) : len == 0))
            return xstrndup(second + 1, (size_t)(end - second - 1));
        line = *end ? end + 1 : end;
    }
    return NULL;
}

/* One that is ours as well is not the container's: everything in it is going to be killed. */
static char *find_folder_at(const struct cgroup_places *p, const char *path, const char *controller,
                            const char *mounted)
{
    AUTO_FREE char *ours = find_path(p->ours.data, controller);
    AUTO_FREE char *folder = NULL;

    if (!path || path[0] != '/' || path[1] == '\0' || (ours && strcmp(path, ours) == 0))
        return NULL;
    folder = xasprintf("%s%s%s", CGROUP_PLACES_TOP, mounted, path);
    return is_folder(folder) ? TAKE(folder) : NULL;
}

char *cgroup_places_folder(const struct cgroup_places *p, const char *controller,
                           const char *mounted)
{
    AUTO_FREE char *path = find_path(p->theirs.data, controller);
    char *folder = find_folder_at(p, p->given, controller, mounted);

    return folder ? folder : find_folder_at(p, path, controller, mounted);
}

/* Left empty for a process that has ended. */
static void load_place(pid_t pid, struct buf *out)
{
    struct error ignored;
    char path[32];

    snprintf(path, sizeof path, "/proc/%d/cgroup", pid);
    if (file_load(AT_FDCWD, path, out, &ignored) < 0)
        out->len = 0;
}

void cgroup_places_init(struct cgroup_places *p, const char *given, pid_t pid)
{
    p->given = given;
    buf_init(&p->theirs, PROC_FILE_MAX);
    buf_init(&p->ours, PROC_FILE_MAX);
    load_place(pid, &p->theirs);
    load_place(getpid(), &p->ours);
}

void cgroup_places_fini(struct cgroup_places *p)
{
    buf_fini(&p->theirs);
    buf_fini(&p->ours);
}

/* The list of processes in the hierarchy that a line "<n>:<controllers>:<path>" tells of. One in
 * which the shim is as well is none of the container's: who is forked by the shim is there. */
static int add_list(const struct cgroup_places *p, const char *line, struct strv *out,
                    struct error *err)
{
    const char *first = strchr(line, ':'), *second = first ? strchr(first + 1, ':') : NULL;

    if (!second)
        return error_set(err, ERROR_INTERNAL, "\"%.200s\" tells of no cgroup", line);
    AUTO_FREE char *name = xstrndup(first + 1, (size_t)(second - first - 1));
    AUTO_FREE char *one = xstrndup(name, strcspn(name, ","));
    AUTO_FREE char *mounted = xasprintf("/%s", strncmp(name, "name=", 5) == 0 ? name + 5
                                               : *name                        ? name
                                                                              : "unified");
    AUTO_FREE char *ours = find_path(p->ours.data, one);
    AUTO_FREE char *folder = cgroup_places_folder(p, one, mounted);

    if (folder)
        strv_addf(out, "%s/cgroup.procs", folder);
    else if (!ours || strcmp(ours, second + 1) != 0)
        return error_set(err, ERROR_NOT_FOUND, "cgroup %.400s is not below " CGROUP_PLACES_TOP,
                         line);
    return 0;
}

int cgroup_places_lists(const struct cgroup_places *p, struct strv *out, struct error *err)
{
    AUTO_FINI(strv) lines = {0};

    if (p->theirs.len == 0 || p->ours.len == 0)
        return error_set(err, ERROR_NOT_FOUND, "the cgroups of a process are not known");
    strv_add_split(&lines, p->theirs.data, '\n');
    for (size_t i = 0; i < lines.len; i++)
        if (add_list(p, lines.items[i], out, err) < 0) {
            strv_fini(out);
            return -1;
        }
    return 0;
}

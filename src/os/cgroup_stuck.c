// SPDX-License-Identifier: Apache-2.0
#include "os/cgroup_stuck.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/dir.h"
#include "base/file.h"
#include "base/own.h"

enum { PROCS_MAX = 1024 * 1024, STAT_MAX = 4096 };

static const char base[] = "/sys/fs/cgroup";

/* The group's processes, one a line, of the first hierarchy that knows it. */
static bool load_procs(const char *path, struct buf *out)
{
    AUTO_FREE char *only = xasprintf("%s%s/cgroup.procs", base, path);
    struct error ignored;
    bool found = file_load(AT_FDCWD, only, out, &ignored) == 0;
    AUTO_CLOSEDIR DIR *dir = found ? NULL : opendir(base);

    for (struct dirent *entry; !found && dir && (entry = readdir(dir));) {
        AUTO_FREE char *name = xasprintf("%s/%s%s/cgroup.procs", base, entry->d_name, path);

        found = entry->d_name[0] != '.' && file_load(AT_FDCWD, name, out, &ignored) == 0;
    }
    return found && out->len > 0;
}

/* Its sentence, and whether it cannot be interrupted; NULL when it has gone. */
static char *describe(long pid, bool *out_stuck)
{
    AUTO_FREE char *stat_path = xasprintf("/proc/%ld/stat", pid);
    AUTO_FREE char *wchan_path = xasprintf("/proc/%ld/wchan", pid);
    AUTO_FINI(buf) stat = BUF(STAT_MAX), wchan = BUF(STAT_MAX);
    const char *open, *close;
    struct error ignored;

    if (file_load(AT_FDCWD, stat_path, &stat, &ignored) < 0 || !(open = strchr(stat.data, '(')) ||
        !(close = strrchr(stat.data, ')')) || strlen(close) < 3)
        return NULL;
    *out_stuck = close[2] == 'D';
    if (file_load(AT_FDCWD, wchan_path, &wchan, &ignored) < 0 || wchan.len < 2)
        return xasprintf("process %ld %.*s is in state %c", pid, (int)(close + 1 - open), open,
                         close[2]);
    return xasprintf("process %ld %.*s is in state %c, in %s", pid, (int)(close + 1 - open), open,
                     close[2], wchan.data);
}

/* Takes words, if they tell more than what was found. */
static void keep(char **found, char *words, bool is_stuck)
{
    if (words && (is_stuck || !*found)) {
        free(*found);
        *found = TAKE(words);
    }
    free(words);
}

char *cgroup_stuck(const char *path)
{
    AUTO_FINI(buf) procs = BUF(PROCS_MAX);
    char *found = NULL, *end;
    bool is_stuck = false;

    if (!load_procs(path, &procs))
        return NULL;
    for (char *at = procs.data; !is_stuck; at = end) {
        long pid = strtol(at, &end, 10);

        if (end == at)
            break;
        keep(&found, describe(pid, &is_stuck), is_stuck);
    }
    return found;
}

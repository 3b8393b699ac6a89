// SPDX-License-Identifier: Apache-2.0
#include "os/disk_usage.h"

#include <sys/types.h>

#include <sys/stat.h>

#include <fts.h>
#include <stdio.h>

#include "base/map.h"
#include "base/own.h"

/* A file with several names counts at the first. */
static bool seen_before(struct map *links, const struct stat *st)
{
    char key[48];

    if (st->st_nlink < 2 || S_ISDIR(st->st_mode))
        return false;
    snprintf(key, sizeof key, "%llx", (unsigned long long)st->st_ino);
    return map_put(links, key, links) != NULL;
}

struct disk_usage disk_usage_of(const char *folder)
{
    char *const roots[] = {(char *)folder, NULL};
    struct disk_usage u = {0};
    AUTO_FINI(map) links = {0};
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL);

    for (FTSENT *entry; walk && (entry = fts_read(walk));) {
        if (entry->fts_info == FTS_DP || entry->fts_info == FTS_DNR || entry->fts_info == FTS_NS ||
            entry->fts_info == FTS_ERR || seen_before(&links, entry->fts_statp))
            continue;
        u.bytes += (uint64_t)entry->fts_statp->st_blocks * 512;
        u.inodes++;
    }
    if (walk)
        fts_close(walk);
    return u;
}

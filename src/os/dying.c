// SPDX-License-Identifier: Apache-2.0
#include "os/dying.h"

#include <ctype.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/dir.h"
#include "base/file.h"
#include "base/own.h"

enum { STAT_MAX = 4096 };

/* Of proc(5): where the words are, the first behind the command's name being 3. */
enum { STATE = 3, FLAGS = 9, SIGNAL = 31 };

/* Of the kernel's flags of a process. */
enum { PF_EXITING = 0x4 };

static uint64_t number_at(const char *behind_name, int word)
{
    const char *at = behind_name;

    for (int i = STATE; i < word && at; i++)
        at = strchr(at + 1, ' ');
    return at ? strtoull(at, NULL, 10) : 0;
}

bool dying_is_stat(const char *stat)
{
    /* The command's name may hold anything, and ends with the last parenthesis. */
    const char *end = strrchr(stat, ')');

    if (!end || end[1] != ' ')
        return false;
    return end[2] == 'Z' || end[2] == 'X' || (number_at(end + 1, FLAGS) & PF_EXITING) ||
           (number_at(end + 1, SIGNAL) & (UINT64_C(1) << (SIGKILL - 1)));
}

/* Also of one that has just gone. */
static bool is_dying_thread(int tasks, const char *tid)
{
    AUTO_FREE char *path = xasprintf("%s/stat", tid);
    AUTO_FINI(buf) stat = BUF(STAT_MAX);
    struct error ignored;

    return file_load(tasks, path, &stat, &ignored) < 0 || (stat.len && dying_is_stat(stat.data));
}

bool dying_is(pid_t pid)
{
    AUTO_FREE char *path = xasprintf("/proc/%d/task", pid);
    AUTO_CLOSEDIR DIR *dir = opendir(path);
    bool all = true, any = false;

    for (struct dirent *entry; dir && all && (entry = readdir(dir));) {
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        any = true;
        all = is_dying_thread(dirfd(dir), entry->d_name);
    }
    return any && all;
}

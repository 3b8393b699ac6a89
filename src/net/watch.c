// SPDX-License-Identifier: Apache-2.0
#include "net/watch.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/own.h"

enum { EVENTS_MAX = 16 * 1024, DIR_MODE = 0700, PARENT_MODE = 0755 };

static const uint32_t CHANGES = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
                                IN_CREATE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

/* The folder has its own mode, those above it the usual one. */
static int make_folder(const char *dir)
{
    const char *slash = strrchr(dir, '/');
    AUTO_FREE char *parent = slash > dir ? xstrndup(dir, (size_t)(slash - dir)) : NULL;
    struct error ignored;

    if (parent && file_make_dirs(parent, PARENT_MODE, &ignored) < 0)
        return -1;
    return mkdir(dir, DIR_MODE) < 0 && errno != EEXIST ? -1 : 0;
}

int watch_open(const char *dir)
{
    AUTO_CLOSE int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

    if (fd < 0 || make_folder(dir) < 0 || inotify_add_watch(fd, dir, CHANGES) < 0)
        return -1;
    return fd_take(&fd);
}

/* A file just created is empty as a rule, and another event follows; a link is complete. */
static bool is_link(const char *dir, const char *name)
{
    AUTO_FREE char *path = xasprintf("%s/%s", dir, name);
    struct stat st;

    return lstat(path, &st) == 0 && (S_ISLNK(st.st_mode) || st.st_nlink > 1);
}

static bool matters(const struct inotify_event *event, const char *dir)
{
    return !(event->mask & IN_CREATE) || (event->len && is_link(dir, event->name));
}

bool watch_take(int fd, const char *dir)
{
    _Alignas(struct inotify_event) char events[EVENTS_MAX];
    bool changed = false, folder_gone = false;
    ssize_t n;

    while ((n = read(fd, events, sizeof events)) > 0) {
        const struct inotify_event *event;

        for (char *at = events; at < events + n; at += sizeof *event + event->len) {
            event = (const void *)at;
            changed |= matters(event, dir);
            folder_gone |= (event->mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF)) != 0;
        }
    }
    /* Adding a watch that is there already changes nothing. */
    if (folder_gone && make_folder(dir) == 0)
        changed |= inotify_add_watch(fd, dir, CHANGES) >= 0;
    return changed;
}

// SPDX-License-Identifier: Apache-2.0
#include "shim/container_cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/dir.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/list.h"
#include "base/log.h"
#include "base/own.h"
#include "os/cgroup_procs.h"
#include "shim/cgroup_places.h"

enum { DEPTH_MAX = 16 };

static int open_in(const char *folder, const char *name, int flags)
{
    AUTO_FREE char *path = xasprintf("%s/%s", folder, name);

    return open(path, flags | O_CLOEXEC);
}

static void find_folders(struct container_cgroup *g, const struct cgroup_places *p)
{
    AUTO_FREE char *memory = NULL;

    g->is_v2 = access(CGROUP_PLACES_TOP "/cgroup.controllers", F_OK) == 0;
    if (g->is_v2) {
        g->procs = cgroup_places_folder(p, "", "");
        if (g->procs && !g->oom.file)
            g->oom.file = xasprintf("%s/memory.events", g->procs);
        return;
    }
    g->freezer = cgroup_places_folder(p, "freezer", "/freezer");
    memory = cgroup_places_folder(p, "memory", "/memory");
    g->oom.file = memory ? xasprintf("%s/memory.oom_control", memory) : NULL;
    g->procs = memory ? TAKE(memory) : cgroup_places_folder(p, "pids", "/pids");
}

/* What the pod's is: where its containers have one above them that is not shared by others.
 * Services share system.slice with the scopes of pods that have no cgroup of their own. */
static char *pod_file_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *above = xstrndup(path, slash ? (size_t)(slash - path) : 0);

    if (!*above || strcmp(above, "/system.slice") == 0)
        return NULL;
    return xasprintf(CGROUP_PLACES_TOP "%s/memory.events", above);
}

/* The file has changed, or has gone. */
static void on_memory_event(struct poller_source *s, uint32_t events)
{
    struct container_cgroup *g = LIST_OF(s, struct container_cgroup, watch);

    (void)events;
    if (!oom_ledger_read(&g->oom))
        poller_remove(g->poller, s);
}

static void watch_oom(struct container_cgroup *g, struct poller *poller)
{
    struct error err;

    if (!oom_ledger_read(&g->oom) || !g->is_v2)
        return;
    g->poller = poller;
    g->watch.ready = on_memory_event;
    if (poller_add(poller, &g->watch, g->oom.fd, EPOLLPRI, &err) < 0)
        log_warn("OOM kills are noticed only while the cgroup is there: %s", err.text);
}

void container_cgroup_expect(struct container_cgroup *g, const char *path, struct oom_ledger *l)
{
    AUTO_FREE char *file = xasprintf(CGROUP_PLACES_TOP "%s/memory.events", path);
    AUTO_FREE char *pod_file = pod_file_of(path);

    if (access(CGROUP_PLACES_TOP "/cgroup.controllers", F_OK) == 0 && *path)
        oom_ledger_add(l, &g->oom, file, pod_file);
}

void container_cgroup_open(struct container_cgroup *g, const char *path, pid_t pid,
                           struct poller *poller)
{
    AUTO_FINI(cgroup_places) p;

    cgroup_places_init(&p, path, pid);
    find_folders(g, &p);
    watch_oom(g, poller);
}

void container_cgroup_close(struct container_cgroup *g)
{
    free(g->procs);
    free(g->freezer);
    if (g->poller)
        poller_remove(g->poller, &g->watch);
    oom_ledger_close(&g->oom);
    strv_fini(&g->lists);
    *g = CONTAINER_CGROUP_NONE;
}

static bool hands_on(int folder)
{
    AUTO_CLOSE int fd = openat(folder, "cgroup.subtree_control", O_RDONLY | O_CLOEXEC);
    char first = '\n';

    return fd >= 0 && read(fd, &first, 1) == 1 && first != '\n';
}

static int open_folder_of(const struct container_cgroup *g, pid_t pid, struct error *err)
{
    AUTO_FINI(cgroup_places) p;
    AUTO_FREE char *folder = NULL;
    size_t len = strlen(g->procs);
    int fd;

    cgroup_places_init(&p, "", pid);
    folder = cgroup_places_folder(&p, "", "");
    if (!folder || strncmp(folder, g->procs, len) != 0 || folder[len] != '/')
        return error_set(err, ERROR_NOT_FOUND, "process %d is in no cgroup below %s", pid,
                         g->procs);
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? error_errno(err, errno, "open %s", folder) : fd;
}

int container_cgroup_open_folder(const struct container_cgroup *g, pid_t pid, struct error *err)
{
    AUTO_CLOSE int fd = -1;

    if (!g->procs)
        return error_set(err, ERROR_NOT_FOUND, "the container's cgroup is not known");
    fd = open(g->procs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, errno, "open %s", g->procs);
    return hands_on(fd) ? open_folder_of(g, pid, err) : fd_take(&fd);
}

int container_cgroup_open_lists(struct container_cgroup *g, const char *given, pid_t pid, int *fds,
                                size_t max, size_t *out_n, struct error *err)
{
    *out_n = 0;
    if (!g->lists.items) {
        AUTO_FINI(cgroup_places) p;

        cgroup_places_init(&p, given, pid);
        if (cgroup_places_lists(&p, &g->lists, err) < 0)
            return -1;
    }
    if (g->lists.len == 0)
        return error_set(err, ERROR_NOT_FOUND, "the container has no cgroup of its own");
    if (g->lists.len > max)
        return error_set(err, ERROR_EXHAUSTED, "more than %zu hierarchies of cgroups", max);
    for (size_t i = 0; i < g->lists.len; i++) {
        fds[i] = open(g->lists.items[i], O_WRONLY | O_CLOEXEC);
        if (fds[i] < 0)
            return error_errno(err, errno, "open %s", g->lists.items[i]);
        ++*out_n;
    }
    return 0;
}

bool container_cgroup_is_frozen(const struct container_cgroup *g, int folder)
{
    AUTO_CLOSE int fd = folder >= 0  ? openat(folder, "cgroup.freeze", O_RDONLY | O_CLOEXEC)
                        : g->freezer ? open_in(g->freezer, "freezer.state", O_RDONLY)
                                     : -1;
    char state = '\0';

    return fd >= 0 && read(fd, &state, 1) == 1 && (state == '1' || state == 'F');
}

bool container_cgroup_saw_oom(struct container_cgroup *g, bool is_likely)
{
    if (g->oom.ledger)
        oom_ledger_settle(g->oom.ledger);
    else
        oom_ledger_read(&g->oom);
    oom_ledger_remove(&g->oom);
    return g->oom.kills > 0 || (g->oom.may_have_more && is_likely);
}

/* For the group in folder and all below it. */
static void each_group(int folder, int depth, void (*each)(void *data, int group), void *data)
{
    AUTO_CLOSEDIR DIR *dir = dir_of(folder);

    each(data, folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.' || depth == DEPTH_MAX)
            continue;
        AUTO_CLOSE int child =
            openat(folder, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (child >= 0)
            each_group(child, depth + 1, each, data);
    }
}

static void each_group_of(const struct container_cgroup *g, void (*each)(void *data, int group),
                          void *data)
{
    AUTO_CLOSE int folder = g->procs ? open(g->procs, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

    if (folder >= 0)
        each_group(folder, 0, each, data);
}

struct visit {
    void (*each)(void *data, pid_t pid);
    void *data;
};

static void visit_group(void *data, int group)
{
    const struct visit *v = data;

    cgroup_procs_each(group, v->each, v->data);
}

void container_cgroup_each(const struct container_cgroup *g, void (*each)(void *data, pid_t pid),
                           void *data)
{
    struct visit v = {each, data};

    each_group_of(g, visit_group, &v);
}

struct killing {
    int signal;
    size_t count;
};

static void signal_group(void *data, int group)
{
    struct killing *k = data;

    k->count += cgroup_procs_signal(group, k->signal);
}

static void count_one(void *data, pid_t pid)
{
    (void)pid;
    ++*(size_t *)data;
}

static size_t count(const struct container_cgroup *g)
{
    size_t n = 0;

    container_cgroup_each(g, count_one, &n);
    return n;
}

static bool write_in(const char *folder, const char *name, const char *text)
{
    AUTO_CLOSE int fd = folder ? open_in(folder, name, O_WRONLY) : -1;
    struct error ignored;

    return fd >= 0 && fd_write_all(fd, text, strlen(text), &ignored) == 0;
}

/* In version 1 they are frozen meanwhile: a shell that is to die is not to see its child die and go
 * on with the next line. Even SIGKILL waits until a process is thawed. */
size_t container_cgroup_kill(const struct container_cgroup *g, int signal)
{
    bool freezes = signal == SIGKILL && !g->is_v2;
    struct killing k = {.signal = signal};

    if (signal == SIGKILL && g->is_v2 && write_in(g->procs, "cgroup.kill", "1"))
        return count(g);
    if (freezes)
        write_in(g->freezer, "freezer.state", "FROZEN");
    each_group_of(g, signal_group, &k);
    if (freezes)
        write_in(g->freezer, "freezer.state", "THAWED");
    return k.count;
}

bool container_cgroup_is_empty(const struct container_cgroup *g)
{
    return count(g) == 0;
}

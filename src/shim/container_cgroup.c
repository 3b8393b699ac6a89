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
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/dir.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/list.h"
#include "base/log.h"
#include "base/own.h"
#include "os/cgroup_procs.h"

#define CGROUP_TOP "/sys/fs/cgroup"

enum { PROC_FILE_MAX = 64 * 1024, COUNTER_FILE_MAX = 4096, DEPTH_MAX = 16 };

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int open_in(const char *folder, const char *name, int flags)
{
    AUTO_FREE char *path = xasprintf("%s/%s", folder, name);

    return open(path, flags | O_CLOEXEC);
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

/* Where it was said to be, and what /proc/<pid>/cgroup says of its process, "" when that has ended,
 * and of the shim. */
struct places {
    const char *given;
    struct buf theirs;
    struct buf ours;
};

/* One that is ours as well is not the container's: everything in it is going to be killed. */
static char *find_folder_at(const struct places *p, const char *path, const char *controller,
                            const char *mounted)
{
    AUTO_FREE char *ours = find_path(p->ours.data, controller);
    AUTO_FREE char *folder = NULL;

    if (!path || path[0] != '/' || path[1] == '\0' || (ours && strcmp(path, ours) == 0))
        return NULL;
    folder = xasprintf("%s%s%s", CGROUP_TOP, mounted, path);
    return is_folder(folder) ? TAKE(folder) : NULL;
}

/* The folder of the cgroup in a hierarchy, or NULL. */
static char *find_folder(const struct places *p, const char *controller, const char *mounted)
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

static void find_folders(struct container_cgroup *g, const struct places *p)
{
    AUTO_FREE char *memory = NULL;

    g->is_v2 = access(CGROUP_TOP "/cgroup.controllers", F_OK) == 0;
    if (g->is_v2) {
        g->procs = find_folder(p, "", "");
        if (g->procs && !g->oom.file)
            g->oom.file = xasprintf("%s/memory.events", g->procs);
        return;
    }
    g->freezer = find_folder(p, "freezer", "/freezer");
    memory = find_folder(p, "memory", "/memory");
    g->oom.file = memory ? xasprintf("%s/memory.oom_control", memory) : NULL;
    g->procs = memory ? TAKE(memory) : find_folder(p, "pids", "/pids");
}

/* What the pod's is: where its containers have one above them that is not shared by others.
 * Services share system.slice with the scopes of pods that have no cgroup of their own. */
static char *pod_file_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *above = xstrndup(path, slash ? (size_t)(slash - path) : 0);

    if (!*above || strcmp(above, "/system.slice") == 0)
        return NULL;
    return xasprintf(CGROUP_TOP "%s/memory.events", above);
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
    AUTO_FREE char *file = xasprintf(CGROUP_TOP "%s/memory.events", path);
    AUTO_FREE char *pod_file = pod_file_of(path);

    if (access(CGROUP_TOP "/cgroup.controllers", F_OK) == 0 && *path)
        oom_ledger_add(l, &g->oom, file, pod_file);
}

void container_cgroup_open(struct container_cgroup *g, const char *path, pid_t pid,
                           struct poller *poller)
{
    struct places p = {path, BUF(PROC_FILE_MAX), BUF(PROC_FILE_MAX)};

    load_place(pid, &p.theirs);
    load_place(getpid(), &p.ours);
    find_folders(g, &p);
    buf_fini(&p.theirs);
    buf_fini(&p.ours);
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

int container_cgroup_open_folder(const struct container_cgroup *g)
{
    if (g->is_v2 && g->procs)
        return open(g->procs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    errno = ENOENT;
    return -1;
}

/* The list of processes in the hierarchy that a line "<n>:<controllers>:<path>" tells of. One in
 * which the shim is as well is none of the container's: who is forked by the shim is there. */
static int find_list(struct container_cgroup *g, const struct places *p, const char *line,
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
    AUTO_FREE char *folder = find_folder(p, one, mounted);

    if (folder)
        strv_addf(&g->lists, "%s/cgroup.procs", folder);
    else if (!ours || strcmp(ours, second + 1) != 0)
        return error_set(err, ERROR_NOT_FOUND, "cgroup %.400s is not below " CGROUP_TOP, line);
    return 0;
}

static int find_lists(struct container_cgroup *g, const char *given, pid_t pid, struct error *err)
{
    struct places p = {given, BUF(PROC_FILE_MAX), BUF(PROC_FILE_MAX)};
    AUTO_FINI(strv) lines = {0};
    int failed = 0;

    load_place(pid, &p.theirs);
    load_place(getpid(), &p.ours);
    if (p.theirs.len == 0 || p.ours.len == 0)
        failed = error_set(err, ERROR_NOT_FOUND, "the cgroups of process %d are not known", pid);
    else
        strv_add_split(&lines, p.theirs.data, '\n');
    for (size_t i = 0; i < lines.len && !failed; i++)
        failed = find_list(g, &p, lines.items[i], err);
    buf_fini(&p.theirs);
    buf_fini(&p.ours);
    if (failed)
        strv_fini(&g->lists);
    return failed;
}

int container_cgroup_open_lists(struct container_cgroup *g, const char *given, pid_t pid, int *fds,
                                size_t max, size_t *out_n, struct error *err)
{
    *out_n = 0;
    if (!g->lists.items && find_lists(g, given, pid, err) < 0)
        return -1;
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

// SPDX-License-Identifier: Apache-2.0
#include "shim/luggage.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/own.h"
#include "shim/null.h"

enum { SECCOMP_MAX = BPF_MAXINSNS * (int)sizeof(struct sock_filter), GROUPS_MAX = 65536 };

void luggage_fini(struct luggage *l)
{
    for (int i = 0; i < 3; i++)
        fd_close(&l->e.stdio[i]);
    for (size_t i = 0; i < l->e.n_procs; i++)
        fd_close(&l->e.procs[i]);
    fd_close(&l->e.report);
    fd_close(&l->e.init);
    fd_close(&l->cgroup);
    free(l->e.argv);
    free(l->e.envp);
    buf_fini(&l->seccomp);
    if (l->entry)
        berth__shim__v1__entry__free_unpacked(l->entry, NULL);
}

/* What we do not know we must not leave out. */
static bool is_known(const Berth__Shim__V1__Entry *entry)
{
    for (size_t i = 0; i < entry->n_limits; i++)
        if (entry->limits[i]->base.n_unknown_fields > 0)
            return false;
    return entry->base.n_unknown_fields == 0;
}

static int unpack(struct luggage *l, const struct luggage_spec *spec, struct error *err)
{
    l->entry = berth__shim__v1__entry__unpack(NULL, spec->entry_len, spec->entry);
    if (!l->entry)
        return error_set(err, ERROR_INVALID, "the entry is damaged");
    if (!is_known(l->entry))
        return error_set(err, ERROR_UNIMPLEMENTED, "the entry has fields of a newer berthd");
    if (l->entry->n_args == 0 || l->entry->n_additional_gids > GROUPS_MAX)
        return error_set(err, ERROR_INVALID, "the entry has no args, or too many groups");
    l->e.entry = l->entry;
    return 0;
}

static bool has_home(const Berth__Shim__V1__Entry *entry)
{
    for (size_t i = 0; i < entry->n_env; i++)
        if (strncmp(entry->env[i], "HOME=", 5) == 0)
            return true;
    return false;
}

/* The texts stay the entry's. */
static void add_vectors(struct luggage *l)
{
    const Berth__Shim__V1__Entry *entry = l->entry;

    l->e.argv = xcalloc(entry->n_args + 1, sizeof *l->e.argv);
    memcpy(l->e.argv, entry->args, entry->n_args * sizeof *entry->args);
    l->e.envp = xcalloc(entry->n_env + 2, sizeof *l->e.envp);
    if (entry->n_env > 0)
        memcpy(l->e.envp, entry->env, entry->n_env * sizeof *entry->env);
    l->e.home = has_home(entry) ? NULL : &l->e.envp[entry->n_env];
}

/* A pid is that of another process as soon as its own has been waited for. Through the descriptor
 * we see whether it is a child of ours: that is who the OCI runtime left to us, and it lives. */
static int add_init(struct luggage *l, pid_t init, struct error *err)
{
    siginfo_t info = {0};

    l->e.init = (int)syscall(SYS_pidfd_open, init, 0);
    if (l->e.init < 0 ||
        waitid((idtype_t)P_PIDFD, (id_t)l->e.init, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
        return error_errno(err, errno, "open process %d", init);
    if (info.si_pid != 0)
        return error_set(err, ERROR_PRECONDITION, "the container's first process has ended");
    return 0;
}

static int open_cgroups(struct luggage *l, const struct luggage_spec *spec, struct error *err)
{
    if (!spec->cgroup->is_v2)
        return container_cgroup_open_lists(spec->cgroup, spec->cgroup_path, spec->init, l->e.procs,
                                           ENTRANT_HIERARCHIES_MAX, &l->e.n_procs, err);
    l->cgroup = container_cgroup_open_folder(spec->cgroup, spec->init, err);
    return l->cgroup < 0 ? -1 : 0;
}

static int add_cgroups(struct luggage *l, const struct luggage_spec *spec, struct error *err)
{
    if (open_cgroups(l, spec, err) < 0)
        return -1;
    if (container_cgroup_is_frozen(spec->cgroup, l->cgroup))
        return error_set(err, ERROR_PRECONDITION, "the container is paused");
    return 0;
}

/* crun has left it there, compiled from the container's profile. */
static int add_seccomp(struct luggage *l, const char *path, struct error *err)
{
    if (!l->entry->seccomp)
        return 0;
    if (file_load(AT_FDCWD, path, &l->seccomp, err) < 0)
        return error_wrap(err, "the program for seccomp");
    if (l->seccomp.len == 0 || l->seccomp.len % sizeof(struct sock_filter) != 0)
        return error_set(err, ERROR_INVALID, "%s is no program for seccomp", path);
    l->e.seccomp.len = (unsigned short)(l->seccomp.len / sizeof(struct sock_filter));
    l->e.seccomp.filter = (struct sock_filter *)(void *)l->seccomp.data;
    return 0;
}

static int add_streams(struct luggage *l, const int *stdio, struct error *err)
{
    for (int i = 0; i < 3; i++) {
        l->e.stdio[i] = stdio[i] < 0 ? null_open() : fcntl(stdio[i], F_DUPFD_CLOEXEC, 3);
        if (l->e.stdio[i] < 0)
            return error_errno(err, errno, "open a standard stream");
    }
    return 0;
}

int luggage_pack(struct luggage *l, const struct luggage_spec *spec, struct error *err)
{
    buf_init(&l->seccomp, SECCOMP_MAX);
    if (unpack(l, spec, err) < 0 || add_init(l, spec->init, err) < 0 ||
        add_cgroups(l, spec, err) < 0 || add_seccomp(l, spec->seccomp, err) < 0 ||
        add_streams(l, spec->stdio, err) < 0)
        return -1;
    add_vectors(l);
    l->e.files = spec->files;
    l->e.oom_score_adj = *l->entry->oom_score_adj ? l->entry->oom_score_adj : spec->oom_score_adj;
    return 0;
}

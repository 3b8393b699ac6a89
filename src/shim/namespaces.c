// SPDX-License-Identifier: Apache-2.0
#include "shim/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"
#include "shim/init.h"
#include "shim/sysctl.h"
#include "shim/userns.h"

/* Parent and child talk over a pair of sockets: the parent sends a byte when the ids of the user
 * namespace, if there is one, are mapped; the child sends one struct error, code ERROR_OK when it
 * is set up; the parent pins the namespaces and then closes its end, which lets the child end or
 * become the init. The parent waits for the child without serving anything else: there is nothing
 * to serve before the pod exists. */

#define SHM_DEFAULT_BYTES (UINT64_C(64) * 1024 * 1024)

static const char *const names[] = {"user", "net", "uts", "ipc", "pid"};

/* ---- in the child ---- */

static int raise_loopback(struct error *err)
{
    AUTO_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq request = {.ifr_name = "lo"};

    if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) < 0)
        return error_errno(err, errno, "look at the loopback device");
    request.ifr_flags = (short)(request.ifr_flags | IFF_UP);
    if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
        return error_errno(err, errno, "raise the loopback device");
    return 0;
}

/* In a user namespace those of the IPC namespace have a writer of their own. Those of the network
 * may be ids, which are the user namespace's. */
static bool is_from_outside(const struct namespaces_spec *spec, const char *name)
{
    return idmap_is_set(&spec->ids) && strncmp(name, "net", 3) != 0;
}

static int set_sysctls(const struct namespaces_spec *spec, struct error *err)
{
    for (size_t i = 0; i < spec->n_sysctls; i++)
        if (!is_from_outside(spec, spec->sysctls[i].name) &&
            sysctl_write(spec->sysctls[i].name, spec->sysctls[i].value, err) < 0)
            return -1;
    return 0;
}

static int set_up(const struct namespaces_spec *spec, struct error *err)
{
    int flags =
        (spec->has_ipc ? CLONE_NEWIPC : 0) | (spec->has_net ? CLONE_NEWNET | CLONE_NEWUTS : 0);

    if (flags && unshare(flags) < 0)
        return error_errno(err, errno, "make namespaces");
    if (spec->has_net && *spec->hostname && sethostname(spec->hostname, strlen(spec->hostname)) < 0)
        return error_errno(err, errno, "set host name to \"%s\"", spec->hostname);
    if (spec->has_net && raise_loopback(err) < 0)
        return -1;
    return set_sysctls(spec, err);
}

/* False at the end of the parent. */
static bool await_parent(int parent)
{
    char byte;
    ssize_t n;

    while ((n = read(parent, &byte, 1)) < 0 && errno == EINTR)
        ;
    return n > 0;
}

static int set_up_process(const struct namespaces_spec *spec, struct error *err)
{
    if (idmap_is_set(&spec->ids) && userns_become_root(err) < 0)
        return -1;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return error_errno(err, errno, "set up process");
    return 0;
}

static _Noreturn void live_in_namespaces(const struct namespaces_spec *spec, int parent)
{
    struct error outcome = {0};

    if (!await_parent(parent))
        _exit(1);
    if (set_up_process(spec, &outcome) == 0 && set_up(spec, &outcome) == 0)
        outcome.code = ERROR_OK;
    if (send(parent, &outcome, sizeof outcome, MSG_NOSIGNAL) < 0 || outcome.code != ERROR_OK)
        _exit(1);
    await_parent(parent);
    if (spec->has_pid)
        init_run();
    _exit(0);
}

/* ---- in the writer of sysctls, which stays outside of the user namespace ---- */

/* Before Linux 6.9 only the node's root may, from then on only the user namespace's. */
static int write_as_either(const struct namespaces_spec *spec,
                           const struct namespaces_sysctl *sysctl, struct error *err)
{
    if (sysctl_write(sysctl->name, sysctl->value, err) == 0)
        return 0;
    if (err->errnum != EACCES || seteuid(spec->ids.uids.first) < 0)
        return -1;
    if (sysctl_write(sysctl->name, sysctl->value, err) < 0)
        return -1;
    return seteuid(0) < 0 ? error_errno(err, errno, "become root again") : 0;
}

static int write_from_outside(const struct namespaces_spec *spec, struct error *err)
{
    AUTO_CLOSE int ipc = open("ns/ipc", O_RDONLY | O_CLOEXEC);

    if (ipc < 0 || setns(ipc, CLONE_NEWIPC) < 0)
        return error_errno(err, errno, "enter the pod's IPC namespace");
    for (size_t i = 0; i < spec->n_sysctls; i++)
        if (is_from_outside(spec, spec->sysctls[i].name) &&
            write_as_either(spec, &spec->sysctls[i], err) < 0)
            return -1;
    return 0;
}

/* ---- in the shim ---- */

static bool is_wanted(const struct namespaces_spec *spec, const char *name)
{
    if (strcmp(name, "user") == 0)
        return idmap_is_set(&spec->ids);
    if (strcmp(name, "ipc") == 0)
        return spec->has_ipc;
    return strcmp(name, "pid") == 0 ? spec->has_pid : spec->has_net;
}

static int pin(pid_t pid, const char *name, struct error *err)
{
    char from[64], to[16];
    AUTO_CLOSE int fd = -1;

    snprintf(from, sizeof from, "/proc/%d/ns/%s", pid, name);
    snprintf(to, sizeof to, "ns/%s", name);
    fd = open(to, O_RDONLY | O_CREAT | O_CLOEXEC, 0444);
    if (fd < 0 || mount(from, to, NULL, MS_BIND, NULL) < 0)
        return error_errno(err, errno, "pin %s namespace", name);
    return 0;
}

static int pin_all(const struct namespaces_spec *spec, pid_t pid, struct error *err)
{
    if (mkdir("ns", 0711) < 0 && errno != EEXIST)
        return error_errno(err, errno, "create folder ns");
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (is_wanted(spec, names[i]) && pin(pid, names[i], err) < 0)
            return -1;
    return 0;
}

static int mount_shm(const struct namespaces_spec *spec, struct error *err)
{
    char options[96];

    if (!spec->has_ipc)
        return 0;
    snprintf(options, sizeof options, "mode=1777,uid=%u,gid=%u,size=%" PRIu64, spec->ids.uids.first,
             spec->ids.gids.first, spec->shm_bytes ? spec->shm_bytes : SHM_DEFAULT_BYTES);
    if (mkdir("shm", 0755) < 0 && errno != EEXIST)
        return error_errno(err, errno, "create folder shm");
    if (mount("shm", "shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options) < 0)
        return error_errno(err, errno, "mount shm");
    return 0;
}

static int map_ids(const struct namespaces_spec *spec, pid_t pid, int child, struct error *err)
{
    if (idmap_is_set(&spec->ids) && userns_write_maps(pid, &spec->ids, err) < 0)
        return -1;
    if (send(child, "", 1, MSG_NOSIGNAL) != 1)
        return error_errno(err, errno, "let the child make namespaces");
    return 0;
}

static int await_child(int child, struct error *err)
{
    struct error outcome;
    ssize_t n = recv(child, &outcome, sizeof outcome, MSG_WAITALL);

    if (n != sizeof outcome)
        return error_set(err, ERROR_INTERNAL, "the child that makes namespaces died");
    if (outcome.code != ERROR_OK) {
        *err = outcome;
        return -1;
    }
    return 0;
}

/* clone() as fork, with flags. */
static pid_t fork_with(unsigned long flags)
{
    return (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);
}

static int check_sysctls(const struct namespaces_spec *spec, struct error *err)
{
    struct sysctl_scope scope = {.has_net = spec->has_net, .has_ipc = spec->has_ipc};

    for (size_t i = 0; i < spec->n_sysctls; i++)
        if (sysctl_check(spec->sysctls[i].name, &scope, err) < 0)
            return -1;
    return 0;
}

static bool has_outside_sysctls(const struct namespaces_spec *spec)
{
    for (size_t i = 0; i < spec->n_sysctls; i++)
        if (is_from_outside(spec, spec->sysctls[i].name))
            return true;
    return false;
}

/* Once the namespaces are pinned. */
static int set_outside_sysctls(const struct namespaces_spec *spec, struct error *err)
{
    AUTO_CLOSE int ours = -1, theirs = -1;
    int pair[2], outcome;
    pid_t writer;

    if (!has_outside_sysctls(spec))
        return 0;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return error_errno(err, errno, "make a pair of sockets");
    ours = pair[0], theirs = pair[1];
    writer = fork();
    if (writer < 0)
        return error_errno(err, errno, "make a process for the sysctls");
    if (writer == 0) {
        struct error result = {0};

        if (write_from_outside(spec, &result) == 0)
            result.code = ERROR_OK;
        _exit(send(theirs, &result, sizeof result, MSG_NOSIGNAL) < 0);
    }
    fd_close(&theirs);
    outcome = await_child(ours, err);
    waitpid(writer, NULL, 0);
    return outcome;
}

static int create_with(const struct namespaces_spec *spec, pid_t child, int socket,
                       struct error *err)
{
    if (map_ids(spec, child, socket, err) < 0 || await_child(socket, err) < 0 ||
        pin_all(spec, child, err) < 0 || set_outside_sysctls(spec, err) < 0 ||
        mount_shm(spec, err) < 0)
        return -1;
    return 0;
}

int namespaces_create(const struct namespaces_spec *spec, pid_t *out_init, struct error *err)
{
    AUTO_CLOSE int ours = -1, theirs = -1;
    int pair[2];
    pid_t child;

    if (check_sysctls(spec, err) < 0)
        return -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return error_errno(err, errno, "make a pair of sockets");
    ours = pair[0], theirs = pair[1];
    child = fork_with((spec->has_pid ? CLONE_NEWPID : 0) |
                      (idmap_is_set(&spec->ids) ? CLONE_NEWUSER : 0));
    if (child < 0 && errno == ENOSPC)
        return error_set(err, ERROR_EXHAUSTED,
                         "the limit for namespaces of that kind is reached: see "
                         "/proc/sys/user/max_user_namespaces and max_pid_namespaces");
    if (child < 0)
        return error_errno(err, errno, "make a process for the namespaces");
    if (child == 0) {
        fd_close(&ours);
        live_in_namespaces(spec, theirs);
    }
    fd_close(&theirs);
    if (create_with(spec, child, ours, err) < 0) {
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        namespaces_remove();
        return -1;
    }
    fd_close(&ours);
    if (!spec->has_pid)
        waitpid(child, NULL, 0);
    *out_init = spec->has_pid ? child : 0;
    return 0;
}

void namespaces_remove_shm(void)
{
    umount2("shm", MNT_DETACH | UMOUNT_NOFOLLOW);
    rmdir("shm");
}

void namespaces_remove(void)
{
    char path[16];

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        snprintf(path, sizeof path, "ns/%s", names[i]);
        umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
        unlink(path);
    }
    rmdir("ns");
    namespaces_remove_shm();
}

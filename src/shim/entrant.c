// SPDX-License-Identifier: Apache-2.0
#include "shim/entrant.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "oci/passwd.h"

enum { PASSWD_MAX = 256 * 1024, FIRST_FREE = 3 };

/* Both are of the process that uses them, which is a copy of the shim; the shim itself never
 * touches them, so that they cost it nothing. */
static char passwd[PASSWD_MAX];
static char path[PATH_MAX], program_path[PATH_MAX], home[sizeof "HOME=" + PATH_MAX];

/* ---- telling the shim ---- */

static bool tell(const struct entrant *e, enum entrant_step step, int error)
{
    struct entrant_report report = {step, error};

    return write(e->report, &report, sizeof report) == (ssize_t)sizeof report;
}

/* Nobody hears it where the shim has given up. Nor where, after ENTRANT_IS_READY, a filter forbids
 * to write: then a program that cannot be executed looks like one that has ended with 126. */
static _Noreturn void fail(const struct entrant *e, enum entrant_step step)
{
    _exit(tell(e, step, errno) ? 127 : 126);
}

static void require(const struct entrant *e, bool is_done, enum entrant_step step)
{
    if (!is_done)
        fail(e, step);
}

/* ---- the guide ---- */

static bool write_file(const char *name, const char *prefix, const char *text)
{
    int fd = open(name, O_WRONLY | O_CLOEXEC);
    size_t prefix_len = strlen(prefix), len = strlen(text);
    bool is_written;

    if (fd < 0 || prefix_len + len >= sizeof path)
        return false;
    memcpy(path, prefix, prefix_len);
    memcpy(path + prefix_len, text, len);
    is_written = write(fd, path, prefix_len + len) == (ssize_t)(prefix_len + len);
    close(fd);
    return is_written;
}

/* Takes hold for the next program that this process, or one that it forks, executes. */
static bool set_apparmor(const char *profile)
{
    return !*profile || write_file("/proc/thread-self/attr/apparmor/exec", "exec ", profile) ||
           (errno == ENOENT && write_file("/proc/thread-self/attr/exec", "exec ", profile));
}

static bool set_streams(const struct entrant *e)
{
    for (int i = 0; i < FIRST_FREE; i++)
        if (dup2(e->stdio[i], i) < 0)
            return false;
    return true;
}

/* Before the cgroup namespace is joined, from within which the node's cgroups are not seen. */
static bool join_cgroups(const struct entrant *e)
{
    for (size_t i = 0; i < e->n_procs; i++)
        if (write(e->procs[i], "0", 1) != 1)
            return false;
    return true;
}

/* All but the standard streams and what is still needed. */
static bool close_others(const struct entrant *e)
{
    unsigned low = (unsigned)(e->init < e->report ? e->init : e->report);
    unsigned high = (unsigned)(e->init < e->report ? e->report : e->init);

    return (low == FIRST_FREE || syscall(SYS_close_range, FIRST_FREE, low - 1, 0U) == 0) &&
           (high == low + 1 || syscall(SYS_close_range, low + 1, high - 1, 0U) == 0) &&
           syscall(SYS_close_range, high + 1, ~0U, 0U) == 0;
}

/* While we may still go beyond the limits that we have. */
static bool set_limits(const struct entrant *e)
{
    if (setrlimit(RLIMIT_NOFILE, &e->files) < 0)
        return false;
    for (size_t i = 0; i < e->entry->n_limits; i++) {
        const Berth__Shim__V1__Entry__Limit *limit = e->entry->limits[i];
        struct rlimit value = {limit->soft, limit->hard};

        if (setrlimit((__rlimit_resource_t)limit->resource, &value) < 0)
            return false;
    }
    return true;
}

/* The user namespace last: what the others need we have as the node's root. Then nothing of that
 * is kept. */
static bool join_user_namespace(const struct entrant *e)
{
    return syscall(SYS_setns, e->init, CLONE_NEWUSER) == 0 &&
           syscall(SYS_setgroups, 0, NULL) == 0 && syscall(SYS_setresgid, 0, 0, 0) == 0 &&
           syscall(SYS_setresuid, 0, 0, 0) == 0 &&
           prctl(PR_SET_DUMPABLE, 0) == 0; /* which other ids may have undone */
}

static _Noreturn void enter(const struct entrant *e);

_Noreturn void entrant_guide(const struct entrant *e)
{
    const int namespaces =
        CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWCGROUP;
    struct clone_args sibling = {.flags = CLONE_PARENT};
    long pid;

    require(e, prctl(PR_SET_DUMPABLE, 0) == 0, ENTRANT_HIDDEN);
    require(e, set_streams(e), ENTRANT_STREAMS);
    require(e, join_cgroups(e), ENTRANT_CGROUPS);
    require(e, !*e->oom_score_adj || write_file("/proc/self/oom_score_adj", "", e->oom_score_adj),
            ENTRANT_OOM_SCORE);
    require(e, set_apparmor(e->entry->apparmor_profile), ENTRANT_APPARMOR);
    require(e, close_others(e), ENTRANT_STREAMS);
    require(e, set_limits(e), ENTRANT_LIMITS);
    require(e, syscall(SYS_setns, e->init, namespaces) == 0, ENTRANT_NAMESPACES);
    require(e, !e->entry->user_namespace || join_user_namespace(e), ENTRANT_USER_NAMESPACE);
    close(e->init);
    pid = syscall(SYS_clone3, &sibling, sizeof sibling); /* the shim's child, as we are */
    require(e, pid >= 0, ENTRANT_FORK);
    if (pid == 0)
        enter(e);
    _exit(0);
}

/* ---- the entrant ---- */

static void reset_signals(void)
{
    sigset_t none;

    for (int i = 1; i < NSIG; i++)
        signal(i, SIG_DFL); /* those that cannot be set are so already */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* So the keys of who started the shim are not the container's. */
static bool join_keyring(const char *name)
{
    return !*name || syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name) >= 0 || errno == ENOSYS;
}

/* The container's file, whatever it is: only one that is regular is read. -1: there is none. */
static ssize_t read_passwd(void)
{
    int fd = open("/etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat st;
    ssize_t n, len = 0;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return errno == ENOENT ? 0 : -1;
    while ((n = read(fd, passwd + len, (size_t)(PASSWD_MAX - len))) > 0)
        len += n;
    close(fd);
    return n < 0 || len == PASSWD_MAX ? -1 : len;
}

/* Who has no line there is at home at the top. */
static bool find_home(const struct entrant *e)
{
    struct oci_passwd_user user = {.home = NULL};
    ssize_t len;

    if (!e->home)
        return true;
    errno = EINVAL;
    len = read_passwd();
    if (len < 0)
        return false;
    if (!oci_passwd_find_uid(passwd, (size_t)len, e->entry->uid, &user) || !user.home) {
        user.home = "/";
        user.home_len = 1;
    }
    errno = ENAMETOOLONG;
    if (user.home_len >= PATH_MAX || memchr(user.home, '\0', user.home_len))
        return false;
    memcpy(home, "HOME=", 5);
    memcpy(home + 5, user.home, user.home_len);
    home[5 + user.home_len] = '\0';
    *e->home = home;
    return true;
}

static bool is_program(const char *name)
{
    struct stat st;

    return access(name, X_OK) == 0 && stat(name, &st) == 0 && S_ISREG(st.st_mode);
}

static const char *search_path(char **envp)
{
    for (; *envp; envp++)
        if (strncmp(*envp, "PATH=", 5) == 0)
            return *envp + 5;
    return "";
}

/* NULL with errno. Found by root, as OCI runtimes do; whether the user may, the kernel says. */
static const char *find_program(const struct entrant *e)
{
    const char *name = e->argv[0], *at = search_path(e->envp);
    size_t name_len = strlen(name);

    if (strchr(name, '/'))
        return name;
    while (*at) {
        size_t len = strcspn(at, ":");

        if (len > 0 && len + 1 + name_len < sizeof program_path) {
            memcpy(program_path, at, len);
            program_path[len] = '/';
            memcpy(program_path + len + 1, name, name_len + 1);
            if (is_program(program_path))
                return program_path;
        }
        at += at[len] ? len + 1 : len;
    }
    errno = ENOENT;
    return NULL;
}

static bool load_seccomp(const struct entrant *e)
{
    return e->seccomp.len == 0 ||
           syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, e->entry->seccomp_flags, &e->seccomp) == 0;
}

/* So that the program can open /dev/stdout anew. Devices stay whose they are, and what the
 * container may not give away stays as well. */
static bool own_streams(const struct entrant *e)
{
    struct stat st;

    for (int i = 0; i < FIRST_FREE; i++) {
        if (fstat(i, &st) < 0)
            return false;
        if (S_ISCHR(st.st_mode) || (st.st_uid == e->entry->uid && st.st_gid == e->entry->gid))
            continue;
        if (fchown(i, e->entry->uid, e->entry->gid) < 0 && errno != EPERM && errno != EINVAL &&
            errno != EROFS)
            return false;
    }
    return true;
}

static bool drop_bounding(uint64_t kept)
{
    for (int cap = 0; cap < 64; cap++)
        if (!(kept >> cap & 1) && prctl(PR_CAPBSET_DROP, cap) < 0)
            return errno == EINVAL; /* the kernel has no more */
    return true;
}

static bool become_user(uint32_t uid, uint32_t gid)
{
    return prctl(PR_SET_KEEPCAPS, 1) == 0 && syscall(SYS_setresgid, gid, gid, gid) == 0 &&
           syscall(SYS_setresuid, uid, uid, uid) == 0 && prctl(PR_SET_DUMPABLE, 0) == 0;
}

static bool set_capabilities(const Berth__Shim__V1__Entry *entry)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];

    for (int i = 0; i < 2; i++)
        data[i] = (struct __user_cap_data_struct){(uint32_t)(entry->effective >> 32 * i),
                                                  (uint32_t)(entry->permitted >> 32 * i),
                                                  (uint32_t)(entry->inheritable >> 32 * i)};
    if (syscall(SYS_capset, &header, data) < 0 ||
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
        return false;
    for (int cap = 0; cap < 64; cap++)
        if (entry->ambient >> cap & 1 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
            return false;
    return true;
}

/* A folder that is not below the container's root would be one of the node's. No descriptor of such
 * a one is open any more, so it cannot be; but that is not left to chance. */
static bool go_to_folder(const char *folder)
{
    if (chdir(folder) < 0 || syscall(SYS_getcwd, path, sizeof path) < 0)
        return false;
    errno = ENOENT;
    return path[0] == '/';
}

/* First as root, who may reach a folder that the user cannot; else as the user, who may reach one
 * that root cannot, such as on NFS. */
static void become(const struct entrant *e, bool is_in_folder)
{
    const Berth__Shim__V1__Entry *entry = e->entry;

    /* A filter takes privileges, or the promise that they never grow. */
    require(e, entry->no_new_privileges || load_seccomp(e), ENTRANT_SECCOMP);
    require(e, syscall(SYS_setgroups, entry->n_additional_gids, entry->additional_gids) == 0,
            ENTRANT_GROUPS);
    require(e, own_streams(e), ENTRANT_OWNER);
    require(e, drop_bounding(entry->bounding), ENTRANT_BOUNDING);
    require(e, become_user(entry->uid, entry->gid), ENTRANT_USER);
    require(e, set_capabilities(entry), ENTRANT_CAPABILITIES);
    require(e, !entry->no_new_privileges || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0,
            ENTRANT_PRIVILEGES);
    require(e, is_in_folder || go_to_folder(entry->cwd), ENTRANT_FOLDER);
    umask(entry->umask);
}

static _Noreturn void enter(const struct entrant *e)
{
    const char *program;
    bool is_in_folder;

    require(e, tell(e, ENTRANT_IS_THERE, 0), ENTRANT_SESSION);
    require(e, setsid() >= 0, ENTRANT_SESSION);
    reset_signals();
    require(e, join_keyring(e->entry->keyring), ENTRANT_KEYRING);
    require(e, find_home(e), ENTRANT_HOME);
    is_in_folder = go_to_folder(e->entry->cwd);
    program = find_program(e);
    require(e, program != NULL, ENTRANT_PROGRAM);
    become(e, is_in_folder);
    require(e, tell(e, ENTRANT_IS_READY, 0), ENTRANT_EXECUTE);
    /* As late as can be: from here on the filter has to let pass nothing but the program. */
    require(e, !e->entry->no_new_privileges || load_seccomp(e), ENTRANT_SECCOMP);
    execve(program, e->argv, e->envp);
    fail(e, ENTRANT_EXECUTE);
}

// SPDX-License-Identifier: Apache-2.0
#include "oci/host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/dir.h"
#include "base/file.h"
#include "base/own.h"
#include "oci/capabilities.h"
#include "oci/limits.h"

enum { TEXT_MAX = 64 * 1024 };

static const char CGROUPS[] = "/sys/fs/cgroup";
static const char APPARMOR_PROFILES[] = "/sys/kernel/security/apparmor/profiles";
static const char APPARMOR_PARSER[] = "/sbin/apparmor_parser";

/* The text of a small file; the caller frees; NULL when it cannot be read. */
static char *load(const char *path)
{
    AUTO_FINI(buf) text = BUF(TEXT_MAX);
    struct error unreadable;

    return file_load(AT_FDCWD, path, &text, &unreadable) < 0 ? NULL : buf_take(&text);
}

static bool is_cgroup2(const char *path)
{
    struct statfs st;

    return statfs(path, &st) == 0 && st.f_type == CGROUP2_SUPER_MAGIC;
}

static enum oci_cgroup_mode find_cgroup_mode(void)
{
    if (is_cgroup2(CGROUPS))
        return OCI_CGROUP_V2;
    return is_cgroup2("/sys/fs/cgroup/unified") ? OCI_CGROUP_HYBRID : OCI_CGROUP_V1;
}

/* Our own cgroup of version 2, "" for the root; the caller frees. */
static char *own_cgroup(void)
{
    AUTO_FREE char *text = load("/proc/self/cgroup");
    char *at = text ? strstr(text, "0::/") : NULL;

    if (!at)
        return xstrdup("");
    at += strlen("0::");
    return xstrndup(at, at[1] == '\n' || !at[1] ? 0 : strcspn(at, "\n"));
}

/* The root has no memory.swap.max, so a cgroup that every systemd has stands in for it. */
static bool find_swap_control(enum oci_cgroup_mode mode)
{
    AUTO_FREE char *own = own_cgroup();
    AUTO_FREE char *path = xasprintf("%s%s/memory.swap.max", CGROUPS, *own ? own : "/init.scope");

    return mode == OCI_CGROUP_V2 ? file_exists(path)
                                 : file_exists("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes");
}

static bool find_hugetlb_control(enum oci_cgroup_mode mode)
{
    AUTO_FREE char *controllers = NULL;

    if (mode != OCI_CGROUP_V2)
        return file_exists("/sys/fs/cgroup/hugetlb/cgroup.procs");
    controllers = load("/sys/fs/cgroup/cgroup.controllers");
    return controllers && strstr(controllers, "hugetlb");
}

/* A folder "hugepages-2048kB" for each; the controller says 2MB. */
static void find_hugepage_sizes(struct strv *out)
{
    AUTO_CLOSEDIR DIR *dir = opendir("/sys/kernel/mm/hugepages");

    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        const char *dash = strchr(entry->d_name, '-');
        unsigned long kib = dash ? strtoul(dash + 1, NULL, 10) : 0;

        if (kib >= 1024 * 1024)
            strv_addf(out, "%luGB", kib / (1024 * 1024));
        else if (kib >= 1024)
            strv_addf(out, "%luMB", kib / 1024);
        else if (kib > 0)
            strv_addf(out, "%luKB", kib);
    }
}

/* Of a list of those that are possible: one more than the last. */
static unsigned count_possible(const char *path)
{
    AUTO_FREE char *text = load(path);

    return text ? (unsigned)oci_limits_highest(text) + 1 : 0;
}

static int find_capabilities(struct strv *out, struct error *err)
{
    AUTO_FREE char *status = load("/proc/self/status");
    const char *line = status ? strstr(status, "\nCapEff:") : NULL;

    if (!line)
        return error_set(err, ERROR_INTERNAL, "/proc/self/status does not tell capabilities");
    oci_capabilities_names(strtoull(line + strlen("\nCapEff:"), NULL, 16), out);
    return 0;
}

/* Usable, that is: profiles can be loaded, and they are ours to load. */
static bool find_apparmor(void)
{
    AUTO_FREE char *enabled = load("/sys/module/apparmor/parameters/enabled");
    const char *container = getenv("container");

    return enabled && enabled[0] == 'Y' && file_exists("/sys/kernel/security/apparmor") &&
           (!container || !*container) && file_exists(APPARMOR_PARSER);
}

static bool find_seccomp(void)
{
    return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0 || errno != EINVAL;
}

static int find_kernel(struct oci_host *h, struct error *err)
{
    struct utsname names;

    if (uname(&names) < 0)
        return error_errno(err, errno, "uname");
    if (sscanf(names.release, "%3u.%3u", &h->kernel_major, &h->kernel_minor) != 2) // NOLINT
        return error_set(err, ERROR_INTERNAL, "kernel release \"%s\" is no version", names.release);
    snprintf(h->hostname, sizeof h->hostname, "%s", names.nodename);
    return 0;
}

int oci_host_detect(struct oci_host *out, struct error *err)
{
    AUTO_FREE char *score = load("/proc/self/oom_score_adj");
    enum oci_cgroup_mode mode = find_cgroup_mode();
    struct oci_host h = {.cgroup_mode = mode,
                         .swap_controlled = find_swap_control(mode),
                         .hugetlb_controlled = find_hugetlb_control(mode),
                         .cpus = count_possible("/sys/devices/system/cpu/possible"),
                         .memory_nodes = count_possible("/sys/devices/system/node/possible"),
                         .oom_score_adj = score ? (int)strtol(score, NULL, 10) : 0,
                         .has_seccomp = find_seccomp(),
                         .has_apparmor = find_apparmor(),
                         .apparmor_profiles = APPARMOR_PROFILES,
                         .apparmor_parser = APPARMOR_PARSER,
                         .resctrl = "/sys/fs/resctrl",
                         .has_selinux = file_exists("/sys/fs/selinux/enforce"),
                         .systemd_answers = file_exists("/run/systemd/system") &&
                                            file_exists("/run/dbus/system_bus_socket")};

    if (find_kernel(&h, err) < 0 || find_capabilities(&h.capabilities, err) < 0)
        return error_wrap(err, "look at the host");
    find_hugepage_sizes(&h.hugepage_sizes);
    h.oom_score_bounded = !strv_contains(&h.capabilities, "CAP_SYS_RESOURCE");
    *out = h;
    return 0;
}

void oci_host_fini(struct oci_host *h)
{
    strv_fini(&h->capabilities);
    strv_fini(&h->hugepage_sizes);
}

bool oci_host_kernel_is(const struct oci_host *h, unsigned major, unsigned minor)
{
    return h->kernel_major > major || (h->kernel_major == major && h->kernel_minor >= minor);
}

int64_t oci_host_oom_score_adj(const struct oci_host *h, int64_t wanted)
{
    return h->oom_score_bounded && wanted < h->oom_score_adj ? h->oom_score_adj : wanted;
}

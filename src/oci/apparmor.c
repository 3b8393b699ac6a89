// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/own.h"
#include "oci/build.h"
#include "oci/profile.h"
#include "os/process.h"

enum { PARSER_MS = 30 * 1000, WORDS_MAX = 4096 };

/* As other runtimes call theirs, so that pods and policies that name it keep working. */
#define DEFAULT_NAME "cri-containerd.apparmor.d"

/* A container may do what files and capabilities allow, but neither mount nor write to those parts
 * of /proc and /sys that reach the node. */
static const char DEFAULT_PROFILE[] =
    "#include <tunables/global>\n"
    "profile " DEFAULT_NAME " flags=(attach_disconnected,mediate_deleted) {\n"
    "  #include <abstractions/base>\n"
    "  network,\n"
    "  capability,\n"
    "  file,\n"
    "  umount,\n"
    "  signal (receive) peer=unconfined,\n"
    "  signal (receive) peer=runc,\n"
    "  signal (receive) peer=crun,\n"
    "  signal (send,receive) peer=" DEFAULT_NAME ",\n"
    "  ptrace peer=" DEFAULT_NAME ",\n"
    "  deny mount,\n"
    "  deny @{PROC}/* w,\n"
    "  deny @{PROC}/{[^1-9],[^1-9][^0-9],[^1-9s][^0-9y][^0-9s],[^1-9][^0-9][^0-9][^0-9]*}/** w,\n"
    "  deny @{PROC}/sys/[^k]** w,\n"
    "  deny @{PROC}/sys/kernel/{?,??,[^s][^h][^m]**} w,\n"
    "  deny @{PROC}/sysrq-trigger rwklx,\n"
    "  deny @{PROC}/kcore rwklx,\n"
    "  deny /sys/[^f]*/** wklx,\n"
    "  deny /sys/f[^s]*/** wklx,\n"
    "  deny /sys/fs/[^c]*/** wklx,\n"
    "  deny /sys/fs/c[^g]*/** wklx,\n"
    "  deny /sys/fs/cg[^r]*/** wklx,\n"
    "  deny /sys/firmware/** rwklx,\n"
    "  deny /sys/devices/virtual/powercap/** rwklx,\n"
    "  deny /sys/kernel/security/** rwklx,\n"
    "}\n";

/* Lines are "name (mode)". */
static int is_loaded(const struct oci_host *host, const char *name, bool *out, struct error *err)
{
    FILE *file = fopen(host->apparmor_profiles, "re");
    AUTO_FREE char *line = NULL;
    size_t size = 0;
    bool found = false;

    if (!file)
        return error_errno(err, errno, "open %s", host->apparmor_profiles);
    while (!found && getline(&line, &size, file) >= 0) {
        char *mode = strrchr(line, '(');

        if (mode && mode > line)
            mode[-1] = '\0';
        found = strcmp(line, name) == 0;
    }
    fclose(file);
    *out = found;
    return 0;
}

static int load_default(const struct oci_host *host, struct error *err)
{
    const char *const argv[] = {host->apparmor_parser, "-Kr", NULL};
    struct process_spec spec = PROCESS_SPEC(argv);
    AUTO_FINI(buf) words = BUF(WORDS_MAX);
    struct process_io io = {
        .input = DEFAULT_PROFILE, .input_len = strlen(DEFAULT_PROFILE), .err_out = &words};
    struct deadline by = deadline_in_ms(PARSER_MS);
    int status;

    if (process_run(&spec, &io, &by, &status, err) < 0)
        return error_wrap(err, "load AppArmor profile %s", DEFAULT_NAME);
    if (status != 0)
        return error_set(err, ERROR_UNKNOWN, "load AppArmor profile %s: %s: status %d: %s",
                         DEFAULT_NAME, host->apparmor_parser, status, words.len ? words.data : "");
    return 0;
}

static int ensure_default(const struct oci_host *host, struct error *err)
{
    bool loaded = false;

    if (is_loaded(host, DEFAULT_NAME, &loaded, err) < 0)
        return -1;
    return loaded ? 0 : load_default(host, err);
}

static int add_local(struct build *b, const char *name, struct error *err)
{
    bool loaded = false;

    if (is_loaded(b->in->host, name, &loaded, err) < 0)
        return -1;
    if (!loaded)
        return error_set(err, ERROR_PRECONDITION, "apparmor profile \"%s\" is not loaded", name);
    json_add_str(b->process, "apparmorProfile", name);
    return 0;
}

int oci_apparmor_add(struct build *b, struct error *err)
{
    struct oci_profile profile;

    if (oci_profile_choose(b->security->apparmor, b->security->apparmor_profile, "apparmor",
                           &profile, err) < 0)
        return -1;
    if (profile.kind == OCI_PROFILE_NONE)
        return 0;
    if (!b->in->host->has_apparmor && profile.kind == OCI_PROFILE_UNSET)
        return 0;
    if (!b->in->host->has_apparmor)
        return error_set(err, ERROR_PRECONDITION,
                         "apparmor is not supported by this node, and profile %s was asked for",
                         profile.kind == OCI_PROFILE_LOCAL ? profile.name : "RuntimeDefault");
    /* One that is named holds for privileged containers too. */
    if (profile.kind == OCI_PROFILE_LOCAL)
        return add_local(b, profile.name, err);
    if (b->privileged)
        return 0;
    if (ensure_default(b->in->host, err) < 0)
        return -1;
    json_add_str(b->process, "apparmorProfile", DEFAULT_NAME);
    return 0;
}

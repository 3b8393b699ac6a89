// SPDX-License-Identifier: Apache-2.0
#include "pod/container_entry.h"

#include <linux/seccomp.h>
#include <shim.pb-c.h>
#include <string.h>
#include <sys/resource.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/own.h"
#include "oci/capabilities.h"

enum { ARENA_MAX = 8 * 1024 * 1024, UMASK_DEFAULT = 022 };

struct making {
    const struct container_entry_spec *spec;
    struct arena *arena;
    Berth__Shim__V1__Entry *entry;
};

static const char *text(const struct making *m, const char *key)
{
    const char *found = json_get_str(m->spec->process, key);

    return found ? found : "";
}

static bool is_among(const char *word, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(*words, word) == 0)
            return true;
    return false;
}

static int check_members(struct json_object *object, const char *const *known, const char *where,
                         struct error *err)
{
    json_object_object_foreach(object, key, value)
    {
        (void)value;
        if (!is_among(key, known))
            return error_set(err, ERROR_UNIMPLEMENTED, "%s has %.100s", where, key);
    }
    return 0;
}

/* ---- what the container is ---- */

/* Those that make crun run something else, or in another place, are its own; the program for
 * seccomp is what is loaded here too. */
static int check_annotations(struct json_object *annotations, struct error *err)
{
    if (!annotations)
        return 0;
    json_object_object_foreach(annotations, key, value)
    {
        (void)value;
        if ((strncmp(key, "run.oci.", 8) == 0 && strcmp(key, "run.oci.seccomp_bpf_data") != 0) ||
            strncmp(key, "module.wasm.", 12) == 0)
            return error_set(err, ERROR_UNIMPLEMENTED, "the container has annotation %.100s", key);
    }
    return 0;
}

static int add_namespaces(const struct making *m, struct json_object *namespaces, struct error *err)
{
    static const char *const known[] = {"mount",   "pid",    "ipc",  "uts",
                                        "network", "cgroup", "user", NULL};
    bool has_mounts = false;

    for (size_t i = 0; i < json_len(namespaces); i++) {
        const char *type = json_get_str(json_at(namespaces, i), "type");

        if (!type || !is_among(type, known))
            return error_set(err, ERROR_UNIMPLEMENTED,
                             "the container has a namespace of kind %.50s", type ? type : "?");
        has_mounts |= strcmp(type, "mount") == 0;
        m->entry->user_namespace |= strcmp(type, "user") == 0;
    }
    if (!has_mounts)
        return error_set(err, ERROR_UNIMPLEMENTED, "the container has no mount namespace");
    return 0;
}

/* Where the profile names no flags, runtimes set this one. */
static int add_seccomp(const struct making *m, struct json_object *profile, struct error *err)
{
    if (!profile)
        return 0;
    if (m->spec->family != OCI_FAMILY_CRUN)
        return error_set(err, ERROR_UNIMPLEMENTED,
                         "the runtime leaves no program of the seccomp profile");
    if (json_get(profile, "flags") || json_get(profile, "listenerPath"))
        return error_set(err, ERROR_UNIMPLEMENTED, "the seccomp profile has flags or a listener");
    m->entry->seccomp = true;
    m->entry->seccomp_flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    return 0;
}

static int add_container(const struct making *m, struct error *err)
{
    struct json_object *config = m->spec->config, *linux = json_get(config, "linux");
    const char *id = m->spec->container_id;

    if (json_get(linux, "personality") || json_get(linux, "intelRdt"))
        return error_set(err, ERROR_UNIMPLEMENTED, "the container has a personality or is in RDT");
    m->entry->keyring = m->spec->family == OCI_FAMILY_RUNC ? arena_printf(m->arena, "_ses.%s", id)
                                                           : arena_strdup(m->arena, id);
    if (check_annotations(json_get(config, "annotations"), err) < 0 ||
        add_namespaces(m, json_get(linux, "namespaces"), err) < 0)
        return -1;
    return add_seccomp(m, json_get(linux, "seccomp"), err);
}

/* ---- what the process is ---- */

static char **texts(const struct making *m, const char *key, size_t *out_n, struct error *err)
{
    struct json_object *array = json_get(m->spec->process, key);
    size_t n = json_len(array);
    char **out = arena_alloc(m->arena, (n + 1) * sizeof *out);

    for (size_t i = 0; i < n; i++) {
        out[i] = (char *)json_str(json_at(array, i));
        /* JSON can have a NUL in a text, and no process can. */
        if (!out[i] || strlen(out[i]) != (size_t)json_object_get_string_len(json_at(array, i))) {
            error_set(err, ERROR_UNIMPLEMENTED, "%s has something that is no text", key);
            return NULL;
        }
    }
    *out_n = n;
    return out;
}

static int add_texts(const struct making *m, struct error *err)
{
    Berth__Shim__V1__Entry *e = m->entry;

    e->args = texts(m, "args", &e->n_args, err);
    e->env = e->args ? texts(m, "env", &e->n_env, err) : NULL;
    if (!e->env)
        return -1;
    if (e->n_args == 0 || !*e->args[0])
        return error_set(err, ERROR_UNIMPLEMENTED, "the process has no program");
    for (size_t i = 0; i < e->n_env; i++)
        if (strcmp(e->env[i], "HOME=") == 0)
            return error_set(err, ERROR_UNIMPLEMENTED, "HOME is empty"); /* runtimes differ */
    e->cwd = arena_strdup(m->arena, text(m, "cwd"));
    return 0;
}

static int get_id(struct json_object *from, const char *key, uint32_t otherwise, uint32_t *out,
                  struct error *err)
{
    int64_t id = json_get_int(from, key, otherwise);

    if (id < 0 || id >= UINT32_MAX)
        return error_set(err, ERROR_UNIMPLEMENTED, "%s is %lld", key, (long long)id);
    *out = (uint32_t)id;
    return 0;
}

static int add_user(const struct making *m, struct error *err)
{
    static const char *const known[] = {"uid", "gid", "umask", "additionalGids", NULL};
    struct json_object *user = json_get(m->spec->process, "user");
    struct json_object *groups = json_get(user, "additionalGids");
    Berth__Shim__V1__Entry *e = m->entry;

    if (!user)
        return error_set(err, ERROR_UNIMPLEMENTED, "the process has no user");
    if (check_members(user, known, "the user", err) < 0 ||
        get_id(user, "uid", 0, &e->uid, err) < 0 || get_id(user, "gid", 0, &e->gid, err) < 0 ||
        get_id(user, "umask", UMASK_DEFAULT, &e->umask, err) < 0)
        return -1;
    e->n_additional_gids = json_len(groups);
    e->additional_gids =
        arena_alloc(m->arena, (e->n_additional_gids + 1) * sizeof *e->additional_gids);
    for (size_t i = 0; i < e->n_additional_gids; i++) {
        int64_t id = json_object_get_int64(json_at(groups, i));

        if (id < 0 || id >= UINT32_MAX)
            return error_set(err, ERROR_UNIMPLEMENTED, "group %lld", (long long)id);
        e->additional_gids[i] = (uint32_t)id;
    }
    return 0;
}

static int get_capabilities(struct json_object *from, const char *key, uint64_t *out,
                            struct error *err)
{
    struct json_object *names = json_get(from, key);

    for (size_t i = 0; i < json_len(names); i++) {
        const char *name = json_str(json_at(names, i));
        uint64_t bit = name ? oci_capabilities_find(name) : 0;

        if (!bit)
            return error_set(err, ERROR_UNIMPLEMENTED, "capability %.50s", name ? name : "?");
        *out |= bit;
    }
    return 0;
}

static int add_capabilities(const struct making *m, struct error *err)
{
    static const char *const known[] = {"bounding",    "effective", "permitted",
                                        "inheritable", "ambient",   NULL};
    struct json_object *sets = json_get(m->spec->process, "capabilities");
    Berth__Shim__V1__Entry *e = m->entry;

    if (!sets)
        return error_set(err, ERROR_UNIMPLEMENTED, "the process has no capabilities");
    if (check_members(sets, known, "capabilities", err) < 0 ||
        get_capabilities(sets, "bounding", &e->bounding, err) < 0 ||
        get_capabilities(sets, "effective", &e->effective, err) < 0 ||
        get_capabilities(sets, "permitted", &e->permitted, err) < 0 ||
        get_capabilities(sets, "inheritable", &e->inheritable, err) < 0)
        return -1;
    return get_capabilities(sets, "ambient", &e->ambient, err);
}

static int find_limit(const char *name, uint32_t *out)
{
    static const char *const names[RLIM_NLIMITS] = {
        [RLIMIT_CPU] = "RLIMIT_CPU",           [RLIMIT_FSIZE] = "RLIMIT_FSIZE",
        [RLIMIT_DATA] = "RLIMIT_DATA",         [RLIMIT_STACK] = "RLIMIT_STACK",
        [RLIMIT_CORE] = "RLIMIT_CORE",         [RLIMIT_RSS] = "RLIMIT_RSS",
        [RLIMIT_NPROC] = "RLIMIT_NPROC",       [RLIMIT_NOFILE] = "RLIMIT_NOFILE",
        [RLIMIT_MEMLOCK] = "RLIMIT_MEMLOCK",   [RLIMIT_AS] = "RLIMIT_AS",
        [RLIMIT_LOCKS] = "RLIMIT_LOCKS",       [RLIMIT_SIGPENDING] = "RLIMIT_SIGPENDING",
        [RLIMIT_MSGQUEUE] = "RLIMIT_MSGQUEUE", [RLIMIT_NICE] = "RLIMIT_NICE",
        [RLIMIT_RTPRIO] = "RLIMIT_RTPRIO",     [RLIMIT_RTTIME] = "RLIMIT_RTTIME",
    };

    for (uint32_t i = 0; i < RLIM_NLIMITS; i++)
        if (strcmp(names[i], name) == 0) {
            *out = i;
            return 0;
        }
    return -1;
}

static int add_limits(const struct making *m, struct error *err)
{
    struct json_object *limits = json_get(m->spec->process, "rlimits");
    Berth__Shim__V1__Entry *e = m->entry;

    e->limits = arena_alloc(m->arena, (json_len(limits) + 1) * sizeof *e->limits);
    for (size_t i = 0; i < json_len(limits); i++) {
        struct json_object *from = json_at(limits, i);
        const char *type = json_get_str(from, "type");
        Berth__Shim__V1__Entry__Limit *to =
            arena_new(m->arena, &berth__shim__v1__entry__limit__descriptor);

        if (!type || find_limit(type, &to->resource) < 0)
            return error_set(err, ERROR_UNIMPLEMENTED, "limit %.50s", type ? type : "?");
        to->soft = json_object_get_uint64(json_get(from, "soft"));
        to->hard = json_object_get_uint64(json_get(from, "hard"));
        e->limits[e->n_limits++] = to;
    }
    return 0;
}

static int add_process(const struct making *m, struct error *err)
{
    static const char *const known[] = {"args",         "env",
                                        "cwd",          "user",
                                        "capabilities", "noNewPrivileges",
                                        "rlimits",      "oomScoreAdj",
                                        "terminal",     "apparmorProfile",
                                        "selinuxLabel", NULL};
    struct json_object *process = m->spec->process;

    if (check_members(process, known, "the process", err) < 0)
        return -1;
    if (json_get_flag(process, "terminal", false) || *text(m, "selinuxLabel"))
        return error_set(err, ERROR_UNIMPLEMENTED,
                         "the process has a terminal or an SELinux label");
    m->entry->no_new_privileges = json_get_flag(process, "noNewPrivileges", false);
    m->entry->apparmor_profile = arena_strdup(m->arena, text(m, "apparmorProfile"));
    if (json_get(process, "oomScoreAdj"))
        m->entry->oom_score_adj =
            arena_printf(m->arena, "%lld", (long long)json_get_int(process, "oomScoreAdj", 0));
    if (add_texts(m, err) < 0 || add_user(m, err) < 0 || add_capabilities(m, err) < 0)
        return -1;
    return add_limits(m, err);
}

bool container_entry_is_for(enum oci_family family, const char *runtime_path)
{
    static const char *const names[] = {
        [OCI_FAMILY_OTHER] = "", [OCI_FAMILY_CRUN] = "crun", [OCI_FAMILY_RUNC] = "runc"};
    const char *slash = strrchr(runtime_path, '/'), *base = slash ? slash + 1 : runtime_path;

    return family != OCI_FAMILY_OTHER && strncmp(base, names[family], 4) == 0;
}

int container_entry_pack(const struct container_entry_spec *spec, struct buf *out,
                         struct error *err)
{
    AUTO_FINI(arena) a;
    struct making m = {.spec = spec, .arena = &a};
    char *at;

    arena_init(&a, ARENA_MAX);
    m.entry = arena_new(&a, &berth__shim__v1__entry__descriptor);
    if (add_container(&m, err) < 0 || add_process(&m, err) < 0)
        return -1;
    at = buf_reserve(out, berth__shim__v1__entry__get_packed_size(m.entry), err);
    if (!at)
        return -1;
    buf_added(out, berth__shim__v1__entry__pack(m.entry, (uint8_t *)at));
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/own.h"
#include "base/strv.h"
#include "oci/bind.h"
#include "oci/build.h"
#include "oci/mountinfo.h"
#include "oci/relabel.h"
#include "oci/userns.h"

/* What a container sees is mounted in this order: what every container has, unless the pod gives
 * something of its own for the same place; then what the pod gives, places with fewer parts first,
 * so that none hides another. What the pod gives is what the client asked for and, for places that
 * it left alone, the pod's files and the folders for the image's volumes. */

enum { MOUNTS_MAX = 4096 };

struct given {
    char *destination; /* absolute and clean */
    size_t parts;
    size_t order;                        /* of equals */
    const Runtime__V1__Mount *asked_for; /* NULL: one of ours */
    char *source;                        /* of ours */
    bool readonly;                       /* of ours */
};

struct given_list {
    struct given *items;
    size_t len;
};

static void given_list_fini(struct given_list *list)
{
    for (size_t i = 0; i < list->len; i++) {
        free(list->items[i].destination);
        free(list->items[i].source);
    }
    free(list->items);
}

/* /a//b/../c/ gives /a/c; the caller frees. */
static char *clean(const char *path)
{
    AUTO_FINI(strv) parts = {0}, kept = {0};
    AUTO_FREE char *joined = NULL;

    strv_add_split(&parts, path, '/');
    for (size_t i = 0; i < parts.len; i++) {
        if (strcmp(parts.items[i], ".") == 0)
            continue;
        if (strcmp(parts.items[i], "..") != 0) {
            strv_add(&kept, parts.items[i]);
        } else if (kept.len > 0) {
            free(kept.items[--kept.len]);
            kept.items[kept.len] = NULL;
        }
    }
    joined = strv_join(&kept, "/");
    return xasprintf("/%s", joined);
}

static size_t count_parts(const char *path)
{
    size_t n = 0;

    for (; *path; path++)
        n += *path == '/';
    return n;
}

/* The new entry. */
static struct given *add(struct given_list *list, const char *destination)
{
    struct given *entry;

    list->items = xrealloc(list->items, (list->len + 1) * sizeof *list->items);
    entry = &list->items[list->len];
    *entry = (struct given){.destination = clean(destination), .order = list->len};
    entry->parts = count_parts(entry->destination);
    list->len++;
    return entry;
}

static bool is_given(const struct given_list *list, const char *destination)
{
    for (size_t i = 0; i < list->len; i++)
        if (strcmp(list->items[i].destination, destination) == 0)
            return true;
    return false;
}

/* One of ours, unless the client has something for that place or there is nothing to bind. */
static void add_ours(struct given_list *list, const char *destination, const char *source,
                     bool readonly)
{
    AUTO_FREE char *place = clean(destination);
    struct given *entry;

    if (is_given(list, place) || !file_exists(source))
        return;
    entry = add(list, place);
    entry->source = xstrdup(source);
    entry->readonly = readonly;
}

static void add_pod_files(const struct build *b, struct given_list *list)
{
    static const char *const names[] = {"hostname", "hosts", "resolv.conf"};
    const Runtime__V1__NamespaceOption *options = b->security->namespace_options;
    bool of_node =
        !b->in->pod_owns_ipc || (options && options->ipc == RUNTIME__V1__NAMESPACE_MODE__NODE);
    AUTO_FREE char *shm = of_node ? xstrdup("/dev/shm") : xasprintf("%s/shm", b->in->pod_dir);

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        AUTO_FREE char *place = xasprintf("/etc/%s", names[i]);
        AUTO_FREE char *source = xasprintf("%s/%s", b->in->pod_dir, names[i]);

        add_ours(list, place, source, b->security->readonly_rootfs);
    }
    add_ours(list, "/dev/shm", shm, false);
}

static int by_depth(const void *left, const void *right)
{
    const struct given *a = left, *b = right;

    if (a->parts != b->parts)
        return a->parts < b->parts ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

static int collect_one(const struct build *b, const Runtime__V1__Mount *mount,
                       struct given_list *list, struct error *err)
{
    struct given *entry;

    if (!*mount->container_path)
        return error_set(err, ERROR_INVALID, "mounts: container_path of \"%s\" is empty",
                         mount->host_path);
    if (oci_bind_check(mount, b->in->features, err) < 0)
        return error_wrap(err, "mounts: container_path \"%s\"", mount->container_path);
    entry = add(list, mount->container_path);
    entry->asked_for = mount;
    if (strcmp(entry->destination, "/") == 0)
        return error_set(err, ERROR_INVALID,
                         "mounts: container_path \"%s\" is the root file system",
                         mount->container_path);
    return 0;
}

static int collect(const struct build *b, struct given_list *list, struct error *err)
{
    const Runtime__V1__ContainerConfig *config = b->in->config;

    if (config->n_mounts > MOUNTS_MAX)
        return error_set(err, ERROR_EXHAUSTED, "mounts: %zu are more than %d", config->n_mounts,
                         MOUNTS_MAX);
    /* All are checked before the first missing folder is made. */
    for (size_t i = 0; i < config->n_mounts; i++)
        if (collect_one(b, config->mounts[i], list, err) < 0)
            return -1;
    add_pod_files(b, list);
    for (size_t i = 0; i < b->in->n_volumes; i++)
        add_ours(list, b->in->volumes[i].container_path, b->in->volumes[i].host_path, false);
    if (list->len > 0)
        qsort(list->items, list->len, sizeof *list->items, by_depth);
    return 0;
}

/* Where SELinux is on, the container may touch what has the label of its files. Layers of images,
 * which others have too, keep the label that the node's policy gives them. */
static int relabel(const struct build *b, const struct given *entry, struct json_object *mount,
                   struct error *err)
{
    const char *label = json_get_str(b->linux, "mountLabel");
    const char *source = json_get_str(mount, "source");

    if (!label ||
        (entry->asked_for && (!entry->asked_for->selinux_relabel || entry->asked_for->image)) ||
        strcmp(source, "/dev/shm") == 0)
        return 0;
    return relabel_tree(source, label, err);
}

/* What the shim mounts with the ids of the pod the OCI runtime finds in the bundle. */
static void find_mapped(const struct build *b, const struct given *entry, struct json_object *mount)
{
    /* What is asked for is collected first, so its order is its index. */
    AUTO_FREE char *mapped = xasprintf("%s/" OCI_USERNS_MAPPED "/%zu", b->in->bundle, entry->order);

    if (oci_userns_is_of_mount(&b->in->ids, entry->asked_for))
        json_add_str(mount, "source", mapped);
}

static int add_given(struct build *b, struct json_object *to, const struct given_list *list,
                     struct error *err)
{
    static const char *const propagations[] = {NULL, "rslave", "rshared"};
    struct oci_bind_context context = {
        .features = b->in->features, .userns = b->in->userns, .ids = &b->in->ids};
    enum oci_bind_spread spread = OCI_BIND_PRIVATE;

    for (size_t i = 0; i < list->len; i++) {
        const struct given *entry = &list->items[i];
        struct json_object *mount;

        if (!entry->asked_for) {
            mount = oci_bind_ours(entry->destination, entry->source, entry->readonly);
            json_add(to, NULL, mount);
            if (relabel(b, entry, mount, err) < 0)
                return -1;
            continue;
        }
        mount = oci_bind_asked_for(entry->asked_for, &context, &spread, err);
        if (!mount)
            return error_wrap(err, "mounts: container_path \"%s\"",
                              entry->asked_for->container_path);
        json_add_str(mount, "destination", entry->destination);
        json_add(to, NULL, mount);
        if (relabel(b, entry, mount, err) < 0)
            return error_wrap(err, "mounts: container_path \"%s\"",
                              entry->asked_for->container_path);
        find_mapped(b, entry, mount);
    }
    if (propagations[spread])
        json_add_str(b->linux, "rootfsPropagation", propagations[spread]);
    return 0;
}

struct base {
    const char *destination, *type, *source, *options;
};

/* What every container has. In each ro stands for what privileged ones may write to. */
static const struct base BASE[] = {
    {"/proc", "proc", "proc", "nosuid,noexec,nodev"},
    {"/dev", "tmpfs", "tmpfs", "nosuid,strictatime,mode=755,size=65536k"},
    {"/dev/pts", "devpts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5"},
    {"/dev/shm", "tmpfs", "shm", "nosuid,noexec,nodev,mode=1777,size=65536k"},
    {"/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev"},
    {"/sys", "sysfs", "sysfs", "nosuid,noexec,nodev,ro"},
    {"/sys/fs/cgroup", "cgroup", "cgroup", "nosuid,noexec,nodev,relatime,ro"},
};

static bool is_hidden(const struct given_list *list, const char *destination)
{
    return is_given(list, destination) ||
           (strncmp(destination, "/dev/", 5) == 0 && is_given(list, "/dev"));
}

/* Without a cgroup namespace of its own a container's mount of version 2 has the superblock of the
 * node's, and would take these from it. */
static void keep_cgroup_options(struct json_object *options)
{
    static const char *const kept[] = {"nsdelegate", "memory_recursiveprot"};
    AUTO_FINI(strv) of_node = {0};
    struct oci_mountinfo on;
    struct error ignored;

    if (oci_mountinfo_find("/sys/fs/cgroup", &on, &ignored) < 0)
        return;
    strv_add_split(&of_node, on.super_options, ',');
    oci_mountinfo_fini(&on);
    for (size_t i = 0; i < COUNT_OF(kept); i++)
        if (strv_contains(&of_node, kept[i]))
            json_add_str(options, NULL, kept[i]);
}

/* A group that the pod's user namespace does not have could own nothing. */
static bool is_possible(const struct build *b, const char *option)
{
    uint32_t gid;

    return strcmp(option, "gid=5") != 0 || idmap_find(&b->in->ids.gids, 5, &gid);
}

static void add_base(const struct build *b, struct json_object *to, const struct base *base)
{
    struct json_object *mount = json_add_object(to, NULL), *options;
    bool is_cgroup = strcmp(base->type, "cgroup") == 0;
    bool is_v2 = b->in->host->cgroup_mode == OCI_CGROUP_V2;
    bool writable = b->privileged || (is_cgroup && is_v2 && b->in->policy.cgroup_writable);
    AUTO_FINI(strv) texts = {0};

    json_add_str(mount, "destination", base->destination);
    json_add_str(mount, "type", base->type);
    json_add_str(mount, "source", base->source);
    options = json_add_array(mount, "options");
    strv_add_split(&texts, base->options, ',');
    for (size_t i = 0; i < texts.len; i++)
        if (is_possible(b, texts.items[i]))
            json_add_str(options, NULL,
                         writable && strcmp(texts.items[i], "ro") == 0 ? "rw" : texts.items[i]);
    if (is_cgroup && is_v2 && b->privileged)
        keep_cgroup_options(options);
}

/* Only who owns the network namespace may mount what shows its devices: a pod with a user
 * namespace, but on the node's network, sees the node's, and cannot write there. */
static int add_sys_of_node(const struct build *b, struct json_object *to, struct error *err)
{
    static const char *const options[] = {"rbind", "rprivate", "rro", "nosuid", "noexec", "nodev"};
    struct json_object *mount = json_add_object(to, NULL), *texts;

    if (!b->in->features || !b->in->features->recursive_read_only)
        return error_set(err, ERROR_PRECONDITION,
                         "namespace_options.network: NODE with a user namespace needs recursive "
                         "read-only mounts, which the OCI runtime or the kernel does not have");
    json_add_str(mount, "destination", "/sys");
    json_add_str(mount, "type", "bind");
    json_add_str(mount, "source", "/sys");
    texts = json_add_array(mount, "options");
    for (size_t i = 0; i < COUNT_OF(options); i++)
        json_add_str(texts, NULL, options[i]);
    return 0;
}

static int add_bases(const struct build *b, struct json_object *to, const struct given_list *list,
                     struct error *err)
{
    bool sees_node = b->in->userns && !b->in->pod_owns_network;

    for (size_t i = 0; i < COUNT_OF(BASE); i++) {
        if (is_hidden(list, BASE[i].destination))
            continue;
        if (!sees_node || strcmp(BASE[i].destination, "/sys") != 0)
            add_base(b, to, &BASE[i]);
        else if (add_sys_of_node(b, to, err) < 0)
            return -1;
    }
    return 0;
}

int oci_mounts_add(struct build *b, struct error *err)
{
    struct json_object *to = json_add_array(b->spec, "mounts");
    AUTO_FINI(given_list) list = {0};

    if (collect(b, &list, err) < 0 || add_bases(b, to, &list, err) < 0)
        return -1;
    return add_given(b, to, &list, err);
}

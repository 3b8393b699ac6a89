// SPDX-License-Identifier: Apache-2.0
#include "oci/cdi_edits.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/json.h"
#include "base/own.h"
#include "oci/mount_order.h"

enum { PERMISSIONS = 0777 };

void cdi_edits_fini(struct cdi_edits *e)
{
    cdi_catalog_free(e->catalog);
    free(e->items);
    *e = (struct cdi_edits){0};
}

/* --- which devices --- */

static void add(struct cdi_edits *e, struct json_object *edits)
{
    if (!edits)
        return;
    e->items = xrealloc(e->items, (e->n + 1) * sizeof(struct json_object *));
    e->items[e->n++] = edits;
}

static bool has(const struct cdi_edits *e, const struct json_object *edits)
{
    for (size_t i = 0; i < e->n; i++)
        if (e->items[i] == edits)
            return true;
    return false;
}

static int check_all_there(const struct cdi_catalog *c, const struct strv *names, struct error *err)
{
    AUTO_FINI(strv) missing = {0};
    AUTO_FREE char *list = NULL;

    for (size_t i = 0; i < names->len; i++) {
        const struct cdi_device *device = cdi_catalog_find(c, names->items[i]);

        if (!device)
            strv_add(&missing, names->items[i]);
        else if (device->conflict)
            strv_addf(&missing, "%s (both in %s and in %s)", names->items[i], device->path,
                      device->conflict);
    }
    if (missing.len == 0)
        return 0;
    list = strv_join(&missing, ", ");
    return error_set(err, ERROR_INVALID, "CDI device injection failed: unresolvable CDI devices %s",
                     list);
}

int cdi_edits_choose(struct cdi_cache *cache, const struct strv *names, struct cdi_edits *out,
                     struct error *err)
{
    AUTO_FINI(cdi_edits) e = {.catalog = cdi_cache_read(cache)};

    if (check_all_there(e.catalog, names, err) < 0)
        return -1;
    for (size_t i = 0; i < names->len; i++) {
        const struct cdi_device *device = cdi_catalog_find(e.catalog, names->items[i]);
        struct json_object *of_file = json_get(device->file, "containerEdits");

        if (!has(&e, of_file))
            add(&e, of_file);
        add(&e, device->edits);
    }
    *out = e;
    e = (struct cdi_edits){0};
    return 0;
}

/* --- one edit each --- */

static struct json_object *within(struct json_object *to, const char *key)
{
    struct json_object *object = json_get(to, key);

    return object ? object : json_add_object(to, key);
}

static struct json_object *list_within(struct json_object *to, const char *key)
{
    struct json_object *list = json_get(to, key);

    return list ? list : json_add_array(to, key);
}

static struct json_object *copy_of(struct json_object *value)
{
    struct json_object *copy = NULL;

    if (json_object_deep_copy(value, &copy, NULL) < 0)
        abort();
    return copy;
}

/* Copies the members that are there. */
static void copy_members(struct json_object *from, struct json_object *to, const char *const *keys,
                         size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (json_get(from, keys[i]))
            json_add(to, keys[i], copy_of(json_get(from, keys[i])));
}

static void put_env(struct json_object *env, const char *variable)
{
    size_t len = strcspn(variable, "=") + 1;

    for (size_t i = 0; i < json_len(env); i++)
        if (strncmp(json_str(json_at(env, i)), variable, len) == 0) {
            json_object_array_put_idx(env, i, json_object_new_string(variable));
            return;
        }
    json_add_str(env, NULL, variable);
}

static void apply_env(struct json_object *spec, struct json_object *variables)
{
    struct json_object *env = list_within(within(spec, "process"), "env");

    for (size_t i = 0; i < json_len(variables); i++)
        put_env(env, json_str(json_at(variables, i)));
}

static void remove_same(struct json_object *list, const char *key, const char *value)
{
    for (size_t i = json_len(list); i-- > 0;)
        if (strcmp(json_get_str(json_at(list, i), key), value) == 0)
            json_object_array_del_idx(list, i, 1);
}

static const char *type_of(const struct stat *st)
{
    if (S_ISBLK(st->st_mode))
        return "b";
    if (S_ISCHR(st->st_mode))
        return "c";
    return S_ISFIFO(st->st_mode) ? "p" : NULL;
}

/* What the file does not tell of a node is what the host's node is. One that the file tells type
 * and number of need not be on the host. */
static int fill_in(struct json_object *node, struct json_object *device, struct error *err)
{
    const char *path = json_get_str(node, "hostPath"), *type = json_get_str(node, "type");
    bool is_told = type && *type && (json_get_int(node, "major", 0) || *type == 'p');
    struct stat st;

    if (!path || !*path)
        path = json_get_str(node, "path");
    if (is_told && json_get(node, "fileMode"))
        return 0;
    if (lstat(path, &st) < 0 || !type_of(&st)) {
        if (is_told)
            return 0;
        return error_errno(err, errno ? errno : ENODEV, "deviceNodes: host device \"%s\"", path);
    }
    if (type && *type && !is_told && strcmp(strcmp(type, "u") == 0 ? "c" : type, type_of(&st)) != 0)
        return error_set(err, ERROR_INVALID,
                         "deviceNodes: host device \"%s\" is of type %s, not %s", path,
                         type_of(&st), type);
    if (!is_told) {
        json_add_str(device, "type", type && *type ? type : type_of(&st));
        json_add_int(device, "major", major(st.st_rdev));
        json_add_int(device, "minor", minor(st.st_rdev));
    }
    if (!json_get(node, "fileMode"))
        json_add_int(device, "fileMode", st.st_mode & PERMISSIONS);
    return 0;
}

/* A device belongs to the container's user unless the file says whose it is. */
static void own(struct json_object *spec, struct json_object *device, const char *id)
{
    int64_t users = json_get_int(json_get(json_get(spec, "process"), "user"), id, 0);

    if (!json_get(device, id) && users > 0)
        json_add_int(device, id, users);
}

static void allow(struct json_object *spec, struct json_object *device, const char *access)
{
    struct json_object *resources = within(within(spec, "linux"), "resources");
    struct json_object *rule;
    const char *type = json_get_str(device, "type");

    if (strcmp(type, "p") == 0)
        return;
    rule = json_add_object(list_within(resources, "devices"), NULL);
    json_add_flag(rule, "allow", true);
    json_add_str(rule, "type", strcmp(type, "u") == 0 ? "c" : type);
    json_add_int(rule, "major", json_get_int(device, "major", 0));
    json_add_int(rule, "minor", json_get_int(device, "minor", 0));
    json_add_str(rule, "access", access && *access ? access : "rwm");
}

static int apply_node(struct json_object *spec, struct json_object *node, struct error *err)
{
    static const char *const copied[] = {"path",     "type", "major", "minor",
                                         "fileMode", "uid",  "gid"};
    struct json_object *devices = list_within(within(spec, "linux"), "devices");
    JSON_AUTO *device = json_object_new_object();

    copy_members(node, device, copied, COUNT_OF(copied));
    errno = 0;
    if (fill_in(node, device, err) < 0)
        return -1;
    own(spec, device, "uid");
    own(spec, device, "gid");
    remove_same(devices, "path", json_get_str(node, "path"));
    allow(spec, device, json_get_str(node, "permissions"));
    json_add(devices, NULL, TAKE(device));
    return 0;
}

static void apply_hooks(struct json_object *spec, struct json_object *hooks)
{
    static const char *const copied[] = {"path", "args", "env", "timeout"};

    for (size_t i = 0; i < json_len(hooks); i++) {
        struct json_object *hook = json_at(hooks, i);
        struct json_object *stage =
            list_within(within(spec, "hooks"), json_get_str(hook, "hookName"));

        copy_members(hook, json_add_object(stage, NULL), copied, COUNT_OF(copied));
    }
}

static void apply_gid(struct json_object *gids, struct json_object *gid)
{
    for (size_t i = 0; i < json_len(gids); i++)
        if (json_object_get_int64(json_at(gids, i)) == json_object_get_int64(gid))
            return;
    json_add(gids, NULL, copy_of(gid));
}

static void apply_gids(struct json_object *spec, struct json_object *wanted)
{
    struct json_object *user = within(within(spec, "process"), "user");

    for (size_t i = 0; i < json_len(wanted); i++)
        if (json_object_get_int64(json_at(wanted, i)) != 0)
            apply_gid(list_within(user, "additionalGids"), json_at(wanted, i));
}

static void apply_net_devices(struct json_object *spec, struct json_object *wanted)
{
    for (size_t i = 0; i < json_len(wanted); i++) {
        struct json_object *devices = within(within(spec, "linux"), "netDevices");
        struct json_object *to =
            json_add_object(devices, json_get_str(json_at(wanted, i), "hostInterfaceName"));

        json_add_str(to, "name", json_get_str(json_at(wanted, i), "name"));
    }
}

static int apply_one(struct json_object *spec, struct json_object *edits, struct error *err)
{
    struct json_object *nodes = json_get(edits, "deviceNodes");

    if (json_get(edits, "env"))
        apply_env(spec, json_get(edits, "env"));
    for (size_t i = 0; i < json_len(nodes); i++)
        if (apply_node(spec, json_at(nodes, i), err) < 0)
            return -1;
    apply_net_devices(spec, json_get(edits, "netDevices"));
    apply_hooks(spec, json_get(edits, "hooks"));
    apply_gids(spec, json_get(edits, "additionalGids"));
    if (json_get(edits, "intelRdt"))
        json_add(within(spec, "linux"), "intelRdt", copy_of(json_get(edits, "intelRdt")));
    return 0;
}

int cdi_edits_apply(const struct cdi_edits *e, struct json_object *spec, struct error *err)
{
    for (size_t i = 0; i < e->n; i++)
        if (apply_one(spec, e->items[i], err) < 0)
            return error_wrap(err, "CDI device injection failed");
    return 0;
}

bool cdi_edits_have_net_devices(const struct cdi_edits *e)
{
    for (size_t i = 0; i < e->n; i++)
        if (json_len(json_get(e->items[i], "netDevices")) > 0)
            return true;
    return false;
}

/* --- mounts --- */

static void apply_mount(struct json_object *mounts, struct json_object *wanted)
{
    const char *destination = json_get_str(wanted, "containerPath");
    struct json_object *mount = json_object_new_object(), *options = json_get(wanted, "options");

    remove_same(mounts, "destination", destination);
    json_add_str(mount, "destination", destination);
    if (json_get_str(wanted, "type"))
        json_add_str(mount, "type", json_get_str(wanted, "type"));
    json_add_str(mount, "source", json_get_str(wanted, "hostPath"));
    if (options)
        json_add(mount, "options", copy_of(options));
    json_add(mounts, NULL, mount);
}

void cdi_edits_apply_mounts(const struct cdi_edits *e, struct json_object *spec)
{
    struct json_object *mounts = list_within(spec, "mounts");
    size_t n_applied = 0;

    for (size_t i = 0; i < e->n; i++) {
        struct json_object *wanted = json_get(e->items[i], "mounts");

        for (size_t m = 0; m < json_len(wanted); m++, n_applied++)
            apply_mount(mounts, json_at(wanted, m));
    }
    if (n_applied > 0)
        mount_order_sort(spec);
}

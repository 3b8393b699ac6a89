// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/dir.h"
#include "base/json.h"
#include "base/own.h"
#include "oci/build.h"

enum { DEPTH_MAX = 16, DEVICES_MAX = 16384, MODE_BITS = 07777 };

/* Folders of /dev that hold no devices of the node, and what every container has of its own. */
static const char *const NOT_PASSED_ON[] = {"pts",  "shm",         "fd",    "mqueue",
                                            ".lxc", ".lxd-mounts", ".udev", "console"};

/* One walk below a device or a folder of devices. */
struct walk {
    struct build *b;
    const char *permissions; /* NULL: no rule, everything is allowed anyway */
    bool host;               /* all of /dev: what cannot be passed on is left out */
};

static void add_rule(struct build *b, const char *type, const struct stat *st, const char *access)
{
    struct json_object *rules = json_get(json_get(b->linux, "resources"), "devices");
    struct json_object *rule = json_add_object(rules, NULL);

    json_add_flag(rule, "allow", true);
    if (type) {
        json_add_str(rule, "type", type);
        json_add_int(rule, "major", major(st->st_rdev));
        json_add_int(rule, "minor", minor(st->st_rdev));
    }
    json_add_str(rule, "access", access);
}

static const char *type_of(const struct stat *st)
{
    if (S_ISBLK(st->st_mode))
        return "b";
    if (S_ISCHR(st->st_mode))
        return "c";
    return S_ISFIFO(st->st_mode) ? "p" : NULL;
}

/* The container's user, if it is none of root and devices are to be its own. */
static uint32_t owner(const struct build *b, const Runtime__V1__Int64Value *wanted,
                      uint32_t otherwise)
{
    if (!b->in->policy.device_ownership_from_security_context || !wanted || wanted->value <= 0 ||
        wanted->value > UINT32_MAX)
        return otherwise;
    return (uint32_t)wanted->value;
}

static void remove_same(struct json_object *devices, const char *path)
{
    for (size_t i = json_len(devices); i-- > 0;)
        if (strcmp(json_get_str(json_at(devices, i), "path"), path) == 0)
            json_object_array_del_idx(devices, i, 1);
}

static int add_device(const struct walk *w, const struct stat *st, const char *path,
                      struct error *err)
{
    struct json_object *devices = json_get(w->b->linux, "devices"), *device;
    const char *type = type_of(st);

    if (json_len(devices) >= DEVICES_MAX)
        return error_set(err, ERROR_EXHAUSTED, "devices: more than %d", DEVICES_MAX);
    remove_same(devices, path);
    device = json_add_object(devices, NULL);
    json_add_str(device, "path", path);
    json_add_str(device, "type", type);
    json_add_int(device, "major", major(st->st_rdev));
    json_add_int(device, "minor", minor(st->st_rdev));
    json_add_int(device, "fileMode", st->st_mode & MODE_BITS);
    json_add_uint(device, "uid",
                  w->host ? st->st_uid : owner(w->b, w->b->security->run_as_user, st->st_uid));
    json_add_uint(device, "gid",
                  w->host ? st->st_gid : owner(w->b, w->b->security->run_as_group, st->st_gid));
    if (w->permissions && *type != 'p')
        add_rule(w->b, type, st, w->permissions);
    return 0;
}

static bool is_skipped(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(NOT_PASSED_ON); i++)
        if (strcmp(name, NOT_PASSED_ON[i]) == 0)
            return true;
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int add_folder(const struct walk *w, const char *from, const char *to, int depth,
                      struct error *err);

/* One entry of a folder; links and what is no device are passed over. */
static int add_entry(const struct walk *w, const char *from, const char *to, int depth,
                     struct error *err)
{
    struct stat st;

    if (lstat(from, &st) < 0)
        return errno == ENOENT ? 0 : error_errno(err, errno, "device %s", from);
    if (S_ISDIR(st.st_mode))
        return add_folder(w, from, to, depth + 1, err);
    if (!type_of(&st) || (S_ISFIFO(st.st_mode) && w->host))
        return 0;
    return add_device(w, &st, to, err);
}

static int add_folder(const struct walk *w, const char *from, const char *to, int depth,
                      struct error *err)
{
    AUTO_CLOSEDIR DIR *dir = opendir(from);

    if (depth > DEPTH_MAX)
        return error_set(err, ERROR_EXHAUSTED, "devices: %s is more than %d folders deep", from,
                         DEPTH_MAX);
    if (!dir)
        return errno == ENOENT ? 0 : error_errno(err, errno, "devices: read folder %s", from);
    for (struct dirent *entry; (entry = readdir(dir));) {
        AUTO_FREE char *from_path = xasprintf("%s/%s", from, entry->d_name);
        AUTO_FREE char *to_path = xasprintf("%s/%s", to, entry->d_name);

        if (!is_skipped(entry->d_name) && add_entry(w, from_path, to_path, depth, err) < 0)
            return -1;
    }
    return 0;
}

static int add_asked_for(struct build *b, const Runtime__V1__Device *device, struct error *err)
{
    struct walk w = {.b = b, .permissions = *device->permissions ? device->permissions : "rwm"};
    AUTO_FREE char *path = realpath(device->host_path, NULL);
    const char *to = *device->container_path ? device->container_path : device->host_path;
    struct stat st;

    if (*to != '/')
        return error_set(err, ERROR_INVALID, "devices: container_path \"%s\" is not absolute", to);
    if (strspn(device->permissions, "rwm") != strlen(device->permissions))
        return error_set(err, ERROR_INVALID, "devices: permissions \"%s\" of %s are none of rwm",
                         device->permissions, device->host_path);
    if (!path || lstat(path, &st) < 0)
        return error_errno(err, errno, "devices: host_path \"%s\"", device->host_path);
    if (S_ISDIR(st.st_mode))
        return add_folder(&w, path, to, 0, err);
    if (!type_of(&st))
        return error_set(err, ERROR_INVALID, "devices: host_path \"%s\" is not a device",
                         device->host_path);
    return add_device(&w, &st, to, err);
}

int oci_devices_add(struct build *b, struct error *err)
{
    const Runtime__V1__ContainerConfig *config = b->in->config;
    struct json_object *rules = json_add_array(json_get(b->linux, "resources"), "devices");
    struct json_object *all = json_add_object(rules, NULL);
    struct walk host = {.b = b, .host = true};

    json_add_flag(all, "allow", false);
    json_add_str(all, "access", "rwm");
    json_add_array(b->linux, "devices");
    if (b->privileged && !b->in->policy.privileged_without_host_devices) {
        if (add_folder(&host, "/dev", "/dev", 0, err) < 0)
            return -1;
        add_rule(b, NULL, NULL, "rwm");
    }
    for (size_t i = 0; i < config->n_devices; i++)
        if (add_asked_for(b, config->devices[i], err) < 0)
            return -1;
    return 0;
}

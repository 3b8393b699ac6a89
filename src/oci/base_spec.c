// SPDX-License-Identifier: Apache-2.0
#include "oci/base_spec.h"

#include <fcntl.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "base/own.h"
#include "oci/mount_order.h"

/* What pods and clients tell: not having it means something too. */
static const struct told {
    const char *part; /* "": the whole */
    const char *member;
} TOLD[] = {
    {"", "ociVersion"},         {"", "hostname"},
    {"", "domainname"},         {"", "root"},
    {"process", "terminal"},    {"process", "args"},
    {"process", "user"},        {"process", "cwd"},
    {"process", "oomScoreAdj"}, {"process", "selinuxLabel"},
    {"linux", "mountLabel"},    {"linux", "maskedPaths"},
    {"linux", "readonlyPaths"}, {"linux", "uidMappings"},
    {"linux", "gidMappings"},   {"linux", "namespaces"},
    {"linux", "cgroupsPath"},   {"linux", "rootfsPropagation"},
};

/* What confines, and so not a privileged container. */
static const struct told CONFINING[] = {{"linux", "seccomp"}, {"process", "apparmorProfile"}};

struct json_object *base_spec_parse(const char *text, size_t len, struct error *err)
{
    static const char *const objects[] = {"process", "linux", "hooks", "annotations"};
    JSON_AUTO *base = json_parse(text, len, err);

    if (!base)
        return NULL;
    if (!json_object_is_type(base, json_type_object)) {
        error_set(err, ERROR_INVALID, "it is no object");
        return NULL;
    }
    for (size_t i = 0; i < COUNT_OF(objects); i++)
        if (json_get(base, objects[i]) &&
            !json_object_is_type(json_get(base, objects[i]), json_type_object)) {
            error_set(err, ERROR_INVALID, "%s is no object", objects[i]);
            return NULL;
        }
    for (size_t i = 0; i < json_len(json_get(base, "mounts")); i++)
        if (!json_get_str(json_at(json_get(base, "mounts"), i), "destination")) {
            error_set(err, ERROR_INVALID, "mounts: %zu: destination is missing", i);
            return NULL;
        }
    return TAKE(base);
}

struct json_object *base_spec_load(const char *path, struct error *err)
{
    AUTO_FINI(buf) text = BUF(BASE_SPEC_BYTES_MAX);
    struct json_object *base;

    if (file_load(AT_FDCWD, path, &text, err) < 0)
        return NULL;
    base = base_spec_parse(text.len ? text.data : "", text.len, err);
    if (!base)
        error_wrap(err, "%s", path);
    return base;
}

static bool is_in(const struct told *list, size_t n, const char *part, const char *member)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].part, part) == 0 && strcmp(list[i].member, member) == 0)
            return true;
    return false;
}

static struct json_object *copy_of(struct json_object *value)
{
    struct json_object *copy = NULL;

    if (json_object_deep_copy(value, &copy, NULL) < 0)
        abort();
    return copy;
}

/* Members that are in both, and objects, are filled in alike. */
static void fill_in(struct json_object *from, struct json_object *to, const char *part,
                    bool privileged)
{
    json_object_object_foreach(from, key, value)
    {
        struct json_object *own = json_get(to, key);

        if (!value || is_in(TOLD, COUNT_OF(TOLD), part, key) ||
            (privileged && is_in(CONFINING, COUNT_OF(CONFINING), part, key)))
            continue;
        if (!own)
            json_add(to, key, copy_of(value));
        else if (json_object_is_type(own, json_type_object) &&
                 json_object_is_type(value, json_type_object))
            fill_in(value, own, *part ? "below" : key, privileged);
    }
}

static bool has_mount(struct json_object *mounts, const char *destination)
{
    for (size_t i = 0; i < json_len(mounts); i++)
        if (strcmp(json_get_str(json_at(mounts, i), "destination"), destination) == 0)
            return true;
    return false;
}

void base_spec_apply(struct json_object *base, bool privileged, struct json_object *spec)
{
    struct json_object *mounts = json_get(spec, "mounts"), *more = json_get(base, "mounts");
    size_t n_before = json_len(mounts);

    if (!base)
        return;
    fill_in(base, spec, "", privileged);
    for (size_t i = 0; i < json_len(more); i++)
        if (!has_mount(mounts, json_get_str(json_at(more, i), "destination")))
            json_add(mounts, NULL, copy_of(json_at(more, i)));
    if (json_len(mounts) > n_before)
        mount_order_sort(spec);
}

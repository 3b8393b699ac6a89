// SPDX-License-Identifier: Apache-2.0
#include "oci/bind.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/own.h"
#include "oci/mountinfo.h"
#include "oci/userns.h"
#include "os/idmapped.h"

enum { MADE_MODE = 0755 };

/* What the client may add to the options. */
static const char *const OPTIONS_ALLOWED[] = {"noexec", "nodev", "nosuid"};

static struct json_object *make(const char *destination, const char *source,
                                const char *propagation, const char *access)
{
    struct json_object *mount = json_object_new_object(), *options;

    json_add_str(mount, "destination", destination);
    json_add_str(mount, "type", "bind");
    json_add_str(mount, "source", source);
    options = json_add_array(mount, "options");
    json_add_str(options, NULL, "rbind");
    json_add_str(options, NULL, propagation);
    json_add_str(options, NULL, access);
    return mount;
}

struct json_object *oci_bind_ours(const char *destination, const char *source, bool readonly)
{
    return make(destination, source, "rprivate", readonly ? "ro" : "rw");
}

/* The host path without links; made when it is not there. The caller frees. */
static char *resolve(const char *path, struct error *err)
{
    char *real = realpath(path, NULL);

    if (!real && errno == ENOENT) {
        if (file_make_dirs(path, MADE_MODE, err) < 0)
            return NULL;
        real = realpath(path, NULL);
    }
    if (!real)
        error_errno(err, errno, "host_path \"%s\"", path);
    return real;
}

/* What spreads into or out of the container can only spread from a mount that spreads. */
static int check_spread(const char *source, enum oci_bind_spread wanted, struct error *err)
{
    struct oci_mountinfo on;
    bool possible;

    if (oci_mountinfo_find(source, &on, err) < 0)
        return -1;
    possible = on.shared || (wanted == OCI_BIND_SLAVE && on.slave);
    if (!possible)
        error_set(err, ERROR_PRECONDITION,
                  "path \"%s\" is mounted on \"%s\" but it is not a shared%s mount", source,
                  on.mount_point, wanted == OCI_BIND_SLAVE ? " or slave" : "");
    oci_mountinfo_fini(&on);
    return possible ? 0 : -1;
}

static enum oci_bind_spread spread_of(const Runtime__V1__Mount *mount)
{
    switch (mount->propagation) {
    case RUNTIME__V1__MOUNT_PROPAGATION__PROPAGATION_HOST_TO_CONTAINER:
        return OCI_BIND_SLAVE;
    case RUNTIME__V1__MOUNT_PROPAGATION__PROPAGATION_BIDIRECTIONAL:
        return OCI_BIND_SHARED;
    default:
        return OCI_BIND_PRIVATE;
    }
}

static int check_recursive(const Runtime__V1__Mount *mount, const struct oci_features *features,
                           struct error *err)
{
    if (!mount->readonly)
        return error_set(err, ERROR_INVALID, "recursive_read_only requires readonly");
    if (spread_of(mount) != OCI_BIND_PRIVATE)
        return error_set(err, ERROR_INVALID,
                         "recursive_read_only requires propagation PROPAGATION_PRIVATE, not %d",
                         (int)mount->propagation);
    if (!features || !features->recursive_read_only)
        return error_set(err, ERROR_PRECONDITION,
                         "RROUnsupported: recursive_read_only is not supported by the OCI runtime "
                         "or the kernel");
    return 0;
}

static int check_options(const Runtime__V1__Mount *mount, struct error *err)
{
    for (size_t i = 0; i < mount->n_mount_options; i++) {
        bool allowed = false;

        for (size_t a = 0; a < COUNT_OF(OPTIONS_ALLOWED); a++)
            allowed |= strcmp(mount->mount_options[i], OPTIONS_ALLOWED[a]) == 0;
        if (!allowed)
            return error_set(err, ERROR_INVALID,
                             "mount_options: \"%s\" is none of noexec, nodev, nosuid",
                             mount->mount_options[i]);
    }
    return 0;
}

int oci_bind_check(const Runtime__V1__Mount *mount, const struct oci_features *features,
                   struct error *err)
{
    if (mount->image && !*mount->host_path) /* mounting it comes first, and is not done here */
        return error_set(err, ERROR_INTERNAL, "ImageVolumeMountFailed: image %s is not mounted",
                         mount->image->image);
    if (!mount->image && *mount->image_sub_path)
        return error_set(err, ERROR_INVALID, "image_sub_path \"%s\" is given without an image",
                         mount->image_sub_path);
    if (*mount->host_path != '/')
        return error_set(err, ERROR_INVALID, "host_path \"%s\" is not absolute", mount->host_path);
    if (!protobuf_c_enum_descriptor_get_value(&runtime__v1__mount_propagation__descriptor,
                                              (int)mount->propagation))
        return error_set(err, ERROR_INVALID, "propagation: %d is not known",
                         (int)mount->propagation);
    if (mount->recursive_read_only && check_recursive(mount, features, err) < 0)
        return -1;
    return check_options(mount, err);
}

/* The ids of the pod are given by the shim, others by the OCI runtime. An image has the pod's. */
static int map_ids(struct json_object *bound, const Runtime__V1__Mount *mount,
                   const struct oci_bind_context *c, struct error *err)
{
    bool is_by_shim = oci_userns_is_of_mount(c->ids, mount);
    AUTO_CLOSE int tree = -1;

    if (mount->n_uidmappings + mount->n_gidmappings == 0 || mount->image)
        return 0;
    if (!is_by_shim && (!c->features || !c->features->idmapped_mounts))
        return error_set(err, ERROR_PRECONDITION,
                         "uidMappings: they are not the pod's, and the OCI runtime or the kernel "
                         "cannot map ids of a mount");
    if (c->userns && idmapped_open(json_get_str(bound, "source"), c->userns, 0, &tree, err) < 0)
        return error_wrap(err, "uidMappings");
    return is_by_shim ? 0 : oci_userns_add_of_mount(bound, mount, err);
}

struct json_object *oci_bind_asked_for(const Runtime__V1__Mount *mount,
                                       const struct oci_bind_context *context,
                                       enum oci_bind_spread *spread, struct error *err)
{
    static const char *const propagations[] = {"rprivate", "rslave", "rshared"};
    const char *access = mount->recursive_read_only ? "rro" : mount->readonly ? "ro" : "rw";
    enum oci_bind_spread wanted = spread_of(mount);
    AUTO_FREE char *source = NULL;
    JSON_AUTO *bound = NULL;

    source = resolve(mount->host_path, err);
    if (!source || (wanted != OCI_BIND_PRIVATE && check_spread(source, wanted, err) < 0))
        return NULL;
    bound = make(mount->container_path, source, propagations[wanted], access);
    for (size_t i = 0; i < mount->n_mount_options; i++)
        json_add_str(json_get(bound, "options"), NULL, mount->mount_options[i]);
    if (map_ids(bound, mount, context, err) < 0)
        return NULL;
    if (wanted > *spread)
        *spread = wanted;
    return TAKE(bound);
}

// SPDX-License-Identifier: Apache-2.0
#include "pod/image_volume.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/strv.h"
#include "image/digest.h"
#include "image/rootfs.h"
#include "oci/userns.h"
#include "os/mount.h"

enum { LIST_MAX = 64 * 1024 };

static const char suffix[] = ".layers";

/* --- the holds, one file an image --- */

static int store_list(const char *path, const struct image *i, struct strv *out, struct error *err)
{
    AUTO_FREE char *text = NULL;

    for (size_t n = 0; n < i->n_layers; n++)
        strv_add(out, i->layers[n].chain_id);
    text = strv_join(out, "\n");
    return file_store(AT_FDCWD, path, text, strlen(text), 0600, err);
}

static void load_list(const char *path, struct strv *out)
{
    AUTO_FINI(buf) text = BUF(LIST_MAX);
    struct error ignored;

    if (file_load(AT_FDCWD, path, &text, &ignored) == 0 && text.len)
        strv_add_split(out, text.data, '\n');
}

/* Calls each with the path of every list of the pod. */
static int each_list(struct sandbox *s,
                     int (*each)(struct sandbox *s, const char *list, struct error *err),
                     struct error *err)
{
    AUTO_FREE char *folder = xasprintf("%s/images", s->dir);
    AUTO_CLOSEDIR DIR *dir = opendir(folder);
    int outcome = 0;

    for (struct dirent *entry; dir && outcome == 0 && (entry = readdir(dir));) {
        const char *end = strstr(entry->d_name, suffix);
        AUTO_FREE char *list = xasprintf("%s/%s", folder, entry->d_name);

        if (end && strcmp(end, suffix) == 0)
            outcome = each(s, list, err);
    }
    return outcome;
}

static int hold(struct sandbox *s, const char *list, struct error *err)
{
    AUTO_FINI(strv) chain_ids = {0};

    load_list(list, &chain_ids);
    image_store_hold(s->node->images, &chain_ids);
    return 0;
}

/* The mount first, then the name of what it needs, then the hold. */
static int release(struct sandbox *s, const char *list, struct error *err)
{
    AUTO_FREE char *target = xstrndup(list, strlen(list) - strlen(suffix));
    AUTO_FREE char *mapped = xasprintf("%s.mapped", target);
    AUTO_FINI(strv) chain_ids = {0};

    load_list(list, &chain_ids);
    if (mount_detach(mapped, err) < 0 || mount_detach(target, err) < 0)
        return -1;
    if (unlink(list) < 0)
        return errno == ENOENT ? 0 : error_errno(err, errno, "remove %s", list);
    image_store_release(s->node->images, &chain_ids);
    return 0;
}

void image_volume_recover(struct sandbox *s)
{
    struct error ignored;

    if (each_list(s, hold, &ignored) < 0)
        return; /* hold() does not fail */
}

int image_volume_release(struct sandbox *s, struct error *err)
{
    return each_list(s, release, err);
}

/* --- mounting --- */

static int mount_layers(struct sandbox *s, const struct strv *chain_ids, const char *target,
                        struct error *err)
{
    AUTO_FREE char *userns = xasprintf("%s/ns/user", s->dir);
    AUTO_FINI(strv) layers = {0};

    for (size_t n = 0; n < chain_ids->len; n++) {
        AUTO_FREE char *path = image_store_layer_path(s->node->images, chain_ids->items[n]);

        strv_add(&layers, path);
    }
    if (layers.len == 0)
        strv_addf(&layers, "%s/empty", s->node->root);
    return rootfs_mount(&layers, idmap_is_set(&s->ids) ? userns : NULL, target, err);
}

static int mount_image(struct sandbox *s, const struct image *i, const char *target,
                       struct error *err)
{
    AUTO_FREE char *list = xasprintf("%s%s", target, suffix);
    AUTO_FINI(strv) chain_ids = {0};
    bool is_held = file_exists(list);

    if (is_held && mount_is_point(target))
        return 0; /* another container of the pod has it */
    if (file_make_dirs(target, 0755, err) < 0 || store_list(list, i, &chain_ids, err) < 0)
        return -1;
    if (!is_held) /* or else a berthd that was killed before it had mounted it left the list */
        image_store_hold(s->node->images, &chain_ids);
    if (mount_layers(s, &chain_ids, target, err) == 0)
        return 0;
    unlink(list);
    image_store_release(s->node->images, &chain_ids);
    return -1;
}

/* The folder inside the image, which must not lead out of it. */
static char *resolve(const char *target, const char *sub_path, struct error *err)
{
    struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    AUTO_CLOSE int root = open(target, O_PATH | O_DIRECTORY | O_CLOEXEC);
    AUTO_CLOSE int fd = -1;

    if (!*sub_path)
        return xstrdup(target);
    if (*sub_path != '/')
        fd = (int)syscall(SYS_openat2, root, sub_path, &how, sizeof how);
    else
        errno = EXDEV;
    if (fd < 0) {
        error_set(err, ERROR_INVALID, "image_sub_path \"%s\" is no folder inside the image: %s",
                  sub_path, strerror(errno));
        return NULL;
    }
    /* What the descriptor leads to has no links in it any more. */
    AUTO_FREE char *link = xasprintf("/proc/self/fd/%d", fd);
    return realpath(link, NULL);
}

static int check(const Runtime__V1__Mount *m, struct error *err)
{
    if (*m->host_path)
        return error_set(err, ERROR_INVALID, "host_path \"%s\" beside an image", m->host_path);
    if (!m->readonly)
        return error_set(err, ERROR_INVALID,
                         "an image is mounted read-only, which the mount is not");
    if (!*m->image->image)
        return error_set(err, ERROR_INVALID, "the image has no name");
    return 0;
}

/* The pod's containers share the mount, so it has the ids of the pod. */
static int check_ids(const struct sandbox *s, const Runtime__V1__Mount *m, struct error *err)
{
    if (m->n_uidmappings + m->n_gidmappings == 0)
        return 0;
    if (!oci_userns_has_mappings(&s->ids, m))
        return error_set(err, ERROR_INVALID,
                         "uidMappings and gidMappings of an image are not those of the pod's user "
                         "namespace");
    return 0;
}

static void set_host_path(Runtime__V1__Mount *m, char *taken)
{
    if (m->host_path != (char *)protobuf_c_empty_string)
        free(m->host_path);
    m->host_path = taken;
}

static int prepare(struct sandbox *s, Runtime__V1__Mount *m, struct error *err)
{
    AUTO(image) *i = check(m, err) < 0 || check_ids(s, m, err) < 0
                         ? NULL
                         : image_store_find(s->node->images, m->image->image, err);
    AUTO_FREE char *target = NULL;
    char *path;

    if (!i)
        return -1;
    target = xasprintf("%s/images/%s", s->dir, digest_hex(i->manifest));
    pthread_mutex_lock(&s->mounting);
    path = mount_image(s, i, target, err) < 0 ? NULL : resolve(target, m->image_sub_path, err);
    pthread_mutex_unlock(&s->mounting);
    if (!path)
        return -1;
    set_host_path(m, path);
    return 0;
}

int image_volume_prepare(struct sandbox *s, Runtime__V1__Mount *mount, struct error *err)
{
    if (prepare(s, mount, err) == 0)
        return 0;
    error_wrap(err, "ImageVolumeMountFailed: mount image \"%s\" at %s",
               mount->image ? mount->image->image : "", mount->container_path);
    return -1;
}

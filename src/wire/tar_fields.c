// SPDX-License-Identifier: Apache-2.0
#include "wire/tar_fields.h"

#include <string.h>

#include "base/own.h"

enum { MAJOR_MAX = 0xfff, MINOR_MAX = 0xfffff };

void tar_fields_fini(struct tar_fields *f)
{
    tar_pax_fini(&f->pax);
    free(TAKE(f->gnu_path));
    free(TAKE(f->gnu_link));
}

void tar_fields_clear(struct tar_fields *f)
{
    tar_pax_clear(&f->pax);
    free(TAKE(f->gnu_path));
    free(TAKE(f->gnu_link));
}

static int set_path(char out[static TAR_PATH_MAX + 1], const char *path, struct error *err)
{
    size_t len = strlen(path);

    if (len > TAR_PATH_MAX)
        return error_set(err, ERROR_EXHAUSTED, "a path has more than %d bytes", TAR_PATH_MAX);
    memcpy(out, path, len + 1);
    return 0;
}

static int set_paths(struct tar_fields *f, const struct tar_header *h, struct tar_entry *e,
                     struct error *err)
{
    const char *path = f->pax.path ? f->pax.path : h->name;
    const char *link = f->pax.link ? f->pax.link : h->link;

    path = f->gnu_path ? f->gnu_path : path;
    path = f->pax.sparse_path ? f->pax.sparse_path : path;
    link = f->gnu_link ? f->gnu_link : link;
    if (set_path(f->path, path, err) < 0 || set_path(f->link, link, err) < 0)
        return -1;
    e->path = f->path;
    e->link = e->type == TAR_HARD_LINK || e->type == TAR_SYMLINK ? f->link : "";
    return 0;
}

static int set_type(char stated, struct tar_entry *e, struct error *err)
{
    static const char types[] = {'0', '1', '2', '3', '4', '5', '6'};
    const char *at = memchr(types, stated, sizeof types);

    if (at)
        e->type = (enum tar_type)(at - types);
    else if (stated == '\0' || stated == '7' || stated == 'S')
        e->type = TAR_FILE;
    else
        return error_set(err, ERROR_UNIMPLEMENTED, "there is no entry type 0x%02x",
                         (unsigned char)stated);
    return 0;
}

/* Old archives tell folders from files by a slash at the end only. */
static void find_folder(struct tar_entry *e)
{
    size_t len = strlen(e->path);

    if (e->type == TAR_FILE && !e->sparse && len > 0 && e->path[len - 1] == '/')
        e->type = TAR_DIR;
}

static int set_owner(uint32_t *out, int64_t pax, int64_t header, struct error *err)
{
    int64_t id = pax >= 0 ? pax : header;

    /* The highest one means "leave it as it is" to the kernel. */
    if (id < 0 || id >= UINT32_MAX)
        return error_set(err, ERROR_INVALID, "there is no owner %lld", (long long)id);
    *out = (uint32_t)id;
    return 0;
}

static int set_device(const struct tar_header *h, struct tar_entry *e, struct error *err)
{
    if (h->major < 0 || h->major > MAJOR_MAX || h->minor < 0 || h->minor > MINOR_MAX)
        return error_set(err, ERROR_INVALID, "a device has the number %lld:%lld",
                         (long long)h->major, (long long)h->minor);
    e->major = (uint32_t)h->major;
    e->minor = (uint32_t)h->minor;
    return 0;
}

int tar_fields_merge(struct tar_fields *f, const struct tar_header *h, struct tar_entry *out,
                     struct error *err)
{
    const struct tar_pax *p = &f->pax;
    struct tar_entry e = {.mode = (uint32_t)h->mode & 07777,
                          .xattrs = p->xattrs,
                          .n_xattrs = p->n_xattrs,
                          .modified = {.tv_sec = h->modified},
                          .accessed = {.tv_sec = h->accessed}};

    if (set_type(h->type, &e, err) < 0 || set_paths(f, h, &e, err) < 0 ||
        set_owner(&e.uid, p->uid, h->uid, err) < 0 || set_owner(&e.gid, p->gid, h->gid, err) < 0 ||
        set_device(h, &e, err) < 0)
        return -1;
    e.sparse = e.type == TAR_FILE && (h->type == 'S' || p->sparse);
    find_folder(&e);
    if (p->has_modified)
        e.modified = p->modified;
    if (p->has_accessed)
        e.accessed = p->accessed;
    *out = e;
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "oci/cdi_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "oci/cdi_spec.h"

enum { MARKS_MAX = 1024 * 1024 };

struct cdi_cache {
    struct strv folders;
    pthread_mutex_t lock;
    struct cdi_catalog *current; /* a reference; NULL before the first reading */
    struct buf marks;            /* of its files */
};

/* --- which files there are --- */

struct listing {
    struct strv paths;
    size_t *folders;  /* by path: the number of its folder */
    struct buf marks; /* what tells whether any file has changed */
};

static void listing_fini(struct listing *l)
{
    strv_fini(&l->paths);
    free(l->folders);
    buf_fini(&l->marks);
}

static int is_spec(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');

    return entry->d_name[0] != '.' && dot &&
           (strcmp(dot, ".json") == 0 || strcmp(dot, ".yaml") == 0);
}

static void list_file(struct listing *l, const char *path, size_t folder)
{
    struct error ignored;
    struct stat st;

    if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || l->paths.len == CDI_CACHE_FILES_MAX)
        return;
    if (buf_printf(&l->marks, &ignored, "%s %lu %lld %ld.%09ld %ld.%09ld\n", path,
                   (unsigned long)st.st_ino, (long long)st.st_size, (long)st.st_mtim.tv_sec,
                   st.st_mtim.tv_nsec, (long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec) < 0)
        return;
    l->folders = xrealloc(l->folders, (l->paths.len + 1) * sizeof *l->folders);
    l->folders[l->paths.len] = folder;
    strv_add(&l->paths, path);
}

static void list(const struct strv *folders, struct listing *out)
{
    buf_init(&out->marks, MARKS_MAX);
    for (size_t i = 0; i < folders->len; i++) {
        struct dirent **entries = NULL;
        int n = scandir(folders->items[i], &entries, is_spec, alphasort);

        if (n < 0 && errno != ENOENT)
            log_warn("CDI: read folder %s: %s", folders->items[i], strerror(errno)); // NOLINT
        for (int e = 0; e < n; e++) {
            AUTO_FREE char *path = xasprintf("%s/%s", folders->items[i], entries[e]->d_name);

            list_file(out, path, i);
            free(entries[e]);
        }
        free(entries);
    }
}

/* --- reading them --- */

static struct json_object *load_file(const char *path, struct error *err)
{
    AUTO_FINI(buf) text = BUF(CDI_SPEC_BYTES_MAX);
    bool is_yaml = strcmp(strrchr(path, '.'), ".yaml") == 0;

    if (file_load(AT_FDCWD, path, &text, err) < 0)
        return NULL;
    return cdi_spec_parse(text.len ? text.data : "", text.len, is_yaml, err);
}

static struct cdi_catalog *load(const struct listing *l)
{
    struct cdi_catalog *c = cdi_catalog_new();

    for (size_t i = 0; i < l->paths.len; i++) {
        struct error err;
        struct json_object *file = load_file(l->paths.items[i], &err);

        if (file)
            cdi_catalog_add(c, file, l->paths.items[i], l->folders[i]);
        else
            log_warn("CDI file %s is passed over: %s", l->paths.items[i], err.text);
    }
    return c;
}

/* --- the cache --- */

struct cdi_cache *cdi_cache_new(const struct strv *folders)
{
    struct cdi_cache *c = xcalloc(1, sizeof *c);

    strv_add_all(&c->folders, folders);
    pthread_mutex_init(&c->lock, NULL);
    return c;
}

void cdi_cache_free(struct cdi_cache *c)
{
    if (!c)
        return;
    cdi_catalog_free(c->current);
    buf_fini(&c->marks);
    pthread_mutex_destroy(&c->lock);
    strv_fini(&c->folders);
    free(c);
}

/* A reference to the current catalog if it is of these files. */
static struct cdi_catalog *find_current(struct cdi_cache *c, const struct buf *marks)
{
    struct cdi_catalog *current;

    pthread_mutex_lock(&c->lock);
    current = c->current;
    if (current && c->marks.len == marks->len &&
        (marks->len == 0 || memcmp(c->marks.data, marks->data, marks->len) == 0))
        cdi_catalog_ref(current);
    else
        current = NULL;
    pthread_mutex_unlock(&c->lock);
    return current;
}

struct cdi_catalog *cdi_cache_read(struct cdi_cache *c)
{
    AUTO_FINI(listing) l = {0};
    struct cdi_catalog *next, *old;
    struct buf old_marks;

    list(&c->folders, &l);
    next = find_current(c, &l.marks);
    if (next)
        return next;
    next = load(&l);
    cdi_catalog_ref(next);
    pthread_mutex_lock(&c->lock);
    old = c->current;
    old_marks = c->marks;
    c->current = next;
    c->marks = l.marks;
    pthread_mutex_unlock(&c->lock);
    l.marks = old_marks;
    cdi_catalog_free(old);
    return next;
}

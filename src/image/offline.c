// SPDX-License-Identifier: Apache-2.0
#include "image/offline.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "image/offline_record.h"
#include "image/reference.h"

struct offline {
    struct image_store *store;
    const char *folder;
    char *path; /* of what is remembered */
    atomic_bool stopping;
    atomic_bool wanted;       /* a scan that has not begun */
    pthread_mutex_t scanning; /* held for a whole scan */
    pthread_mutex_t lock;     /* of what is below, for memory operations only */
    struct offline_record *records;
    size_t len;
    int64_t seen_ns; /* the folder's time before the last scan that came to its end; 0: none did */
};

/* Under the lock, as what follows that is static and says so by "known". */
static struct offline_record *find_known(struct offline *o, const char *file)
{
    for (size_t i = 0; i < o->len; i++)
        if (strcmp(o->records[i].file, file) == 0)
            return &o->records[i];
    return NULL;
}

struct offline *offline_new(struct image_store *s, const char *folder)
{
    struct offline *o = xcalloc(1, sizeof *o);

    o->store = s;
    o->folder = folder ? folder : "";
    o->path = xasprintf("%s/offline.json", image_store_root(s));
    pthread_mutex_init(&o->scanning, NULL);
    pthread_mutex_init(&o->lock, NULL);
    if (*o->folder)
        offline_record_load(o->path, &o->records, &o->len);
    return o;
}

void offline_free(struct offline *o)
{
    if (!o)
        return;
    offline_record_free(o->records, o->len);
    free(o->path);
    pthread_mutex_destroy(&o->scanning);
    pthread_mutex_destroy(&o->lock);
    free(o);
}

void offline_stop(struct offline *o)
{
    atomic_store(&o->stopping, true);
}

bool offline_has(struct offline *o, const char *id)
{
    bool has = false;

    pthread_mutex_lock(&o->lock);
    for (size_t i = 0; i < o->len && !has; i++)
        has = strv_contains(&o->records[i].ids, id);
    pthread_mutex_unlock(&o->lock);
    return has;
}

/* --- one archive --- */

static bool is_on_node(struct offline *o, const char *id)
{
    struct error ignored;
    AUTO(image) *i = image_store_find(o->store, id, &ignored);

    return i != NULL;
}

/* Whether there is nothing to be done for it: its version is known, and broken or all there. */
static bool is_current(struct offline *o, const struct offline_record *now)
{
    AUTO_FINI(strv) ids = {0};
    const struct offline_record *known;
    bool current;

    pthread_mutex_lock(&o->lock);
    known = find_known(o, now->file);
    current = known && offline_record_same_version(known, now);
    if (current)
        strv_add_all(&ids, &known->ids);
    pthread_mutex_unlock(&o->lock);
    for (size_t i = 0; i < ids.len && current; i++)
        current = is_on_node(o, ids.items[i]);
    return current;
}

static void remember(struct offline *o, struct offline_record *taken)
{
    struct offline_record *known;

    pthread_mutex_lock(&o->lock);
    known = find_known(o, taken->file);
    if (!known) {
        o->records = xrealloc(o->records, (o->len + 1) * sizeof *o->records);
        known = &o->records[o->len++];
        *known = (struct offline_record){0};
    }
    offline_record_fini(known);
    *known = *taken;
    *taken = (struct offline_record){0};
    pthread_mutex_unlock(&o->lock);
}

/* Of the archive's making: it would be the same the next time. */
static bool is_broken(enum error_code code)
{
    return code == ERROR_INVALID || code == ERROR_NOT_FOUND || code == ERROR_PRECONDITION ||
           code == ERROR_UNIMPLEMENTED || code == ERROR_DATA_LOSS;
}

/* 1 when there is something new to remember. */
static int import(struct offline *o, struct offline_record *now)
{
    AUTO_FREE char *path = xasprintf("%s/%s", o->folder, now->file);
    const struct deadline patient = DEADLINE_NONE;
    const struct image_request request = {.name = "",
                                          .path = path,
                                          .client = &patient,
                                          .out_ids = &now->ids,
                                          .out_names = &now->names};
    struct error err = {0};
    AUTO(image) *first = image_store_fetch(o->store, &request, &err);

    if (!first) {
        log_warn("offline image %s is not used: %s", path, err.text);
        if (!is_broken(err.code))
            return 0;
        strv_fini(&now->ids);
        strv_fini(&now->names);
    } else if (now->ids.len == 0) { /* somebody else imported it just now */
        strv_add(&now->ids, first->id);
        strv_add_all(&now->names, &first->names);
    }
    remember(o, now);
    return 1;
}

/* --- the folder --- */

static int is_archive(const struct dirent *entry)
{
    static const char *const ends[] = {".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.zstd"};
    size_t len = strlen(entry->d_name);

    for (size_t i = 0; i < COUNT_OF(ends); i++)
        if (len > strlen(ends[i]) && entry->d_name[0] != '.' &&
            strcmp(entry->d_name + len - strlen(ends[i]), ends[i]) == 0)
            return 1;
    return 0;
}

static int look_at(struct offline *o, const char *file)
{
    AUTO_FREE char *path = xasprintf("%s/%s", o->folder, file);
    AUTO_FINI(offline_record) now = {.file = xstrdup(file)};
    struct stat st;

    if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
        return 0;
    offline_record_set_version(&now, &st);
    return is_current(o, &now) ? 0 : import(o, &now);
}

static int forget_missing(struct offline *o, const struct strv *files)
{
    size_t kept = 0;
    int forgot;

    pthread_mutex_lock(&o->lock);
    for (size_t i = 0; i < o->len; i++) {
        if (strv_contains(files, o->records[i].file))
            o->records[kept++] = o->records[i];
        else
            offline_record_fini(&o->records[i]);
    }
    forgot = kept < o->len;
    o->len = kept;
    pthread_mutex_unlock(&o->lock);
    return forgot;
}

static int list(struct offline *o, struct strv *out)
{
    struct dirent **entries = NULL;
    int n = scandir(o->folder, &entries, is_archive, alphasort);

    if (n < 0) {
        if (errno != ENOENT)
            log_warn("offline images in %s are not used: %s", o->folder, strerror(errno));
        return errno == ENOENT ? 0 : -1;
    }
    if (n > OFFLINE_FILES_MAX)
        log_warn("offline images: only %d of the %d archives in %s are looked at",
                 OFFLINE_FILES_MAX, n, o->folder);
    for (int i = 0; i < n; i++) {
        if (i < OFFLINE_FILES_MAX)
            strv_add(out, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return 0;
}

/* The records only change under scanning, which is held here. */
static void save(struct offline *o)
{
    struct error err;

    if (offline_record_save(o->path, o->records, o->len, &err) < 0)
        log_warn("offline images will be looked at again: %s", err.text);
}

static int64_t modified_ns(const struct stat *st)
{
    return st->st_mtim.tv_sec * CLOCK_NS_PER_S + st->st_mtim.tv_nsec;
}

/* When a file came to the folder, went, or got another name; 0 when that is not known. */
static int64_t folder_time(const struct offline *o)
{
    struct stat st;

    return stat(o->folder, &st) == 0 ? modified_ns(&st) : 0;
}

static void note_seen(struct offline *o, int64_t at_ns)
{
    pthread_mutex_lock(&o->lock);
    o->seen_ns = at_ns;
    pthread_mutex_unlock(&o->lock);
}

static void scan(struct offline *o)
{
    AUTO_FINI(strv) files = {0};
    int64_t before_ns = folder_time(o);

    if (list(o, &files) < 0)
        return;
    if (forget_missing(o, &files))
        save(o);
    for (size_t i = 0; i < files.len && !atomic_load(&o->stopping); i++)
        if (look_at(o, files.items[i]))
            save(o);
    if (!atomic_load(&o->stopping))
        note_seen(o, before_ns);
}

bool offline_want_scan(struct offline *o)
{
    return !atomic_exchange(&o->wanted, true);
}

void offline_scan(struct offline *o)
{
    if (!*o->folder)
        return;
    pthread_mutex_lock(&o->scanning);
    atomic_store(&o->wanted, false);
    scan(o);
    pthread_mutex_unlock(&o->scanning);
}

static bool brought(struct offline *o, const char *name)
{
    bool has = false;

    pthread_mutex_lock(&o->lock);
    for (size_t i = 0; i < o->len && !has; i++)
        has = strv_contains(&o->records[i].names, name);
    pthread_mutex_unlock(&o->lock);
    return has;
}

static struct image *find_brought(struct offline *o, const char *name)
{
    struct error ignored;

    return brought(o, name) ? image_store_find(o->store, name, &ignored) : NULL;
}

/* Those that brought the name, without their images. */
static struct offline_record *copy_bringers(struct offline *o, const char *name, size_t *out_len)
{
    struct offline_record *copies;

    *out_len = 0;
    pthread_mutex_lock(&o->lock);
    copies = xcalloc(o->len + 1, sizeof *copies);
    for (size_t i = 0; i < o->len; i++) {
        const struct offline_record *r = &o->records[i];

        if (strv_contains(&r->names, name))
            copies[(*out_len)++] = (struct offline_record){.file = xstrdup(r->file),
                                                           .size = r->size,
                                                           .modified_ns = r->modified_ns,
                                                           .inode = r->inode};
    }
    pthread_mutex_unlock(&o->lock);
    return copies;
}

static bool is_same_file(const struct offline *o, const struct offline_record *known)
{
    AUTO_FREE char *path = xasprintf("%s/%s", o->folder, known->file);
    struct offline_record now = {0};
    struct stat st;

    if (stat(path, &st) < 0)
        return false;
    offline_record_set_version(&now, &st);
    return offline_record_same_version(known, &now);
}

static bool is_scanned_now(struct offline *o)
{
    bool scanned = pthread_mutex_trylock(&o->scanning) != 0;

    if (!scanned)
        pthread_mutex_unlock(&o->scanning);
    return scanned;
}

/* Whether what the folder brought under that name is what it would bring now. Who asks does not
 * wait for a scan that is busy with other archives. */
static bool is_settled(struct offline *o, const char *name)
{
    size_t len = 0;
    struct offline_record *bringers = copy_bringers(o, name, &len);
    int64_t seen_ns;
    bool same = true;

    for (size_t i = 0; i < len && same; i++)
        same = is_same_file(o, &bringers[i]);
    offline_record_free(bringers, len);
    pthread_mutex_lock(&o->lock);
    seen_ns = o->seen_ns;
    pthread_mutex_unlock(&o->lock);
    return same && ((seen_ns && seen_ns == folder_time(o)) || is_scanned_now(o));
}

struct image *offline_find(struct offline *o, const char *name)
{
    struct image_reference ref;
    char whole[REFERENCE_TEXT_SIZE];
    struct error ignored;
    struct image *i;

    if (!*o->folder || reference_parse(name, &ref, &ignored) < 0)
        return NULL;
    reference_format(&ref, whole);
    i = find_brought(o, whole);
    if (i && is_settled(o, whole))
        return i;
    image_free(i);
    offline_scan(o);
    return find_brought(o, whole);
}

char *offline_path(struct offline *o, const struct image_reference *ref)
{
    char name[REFERENCE_TEXT_SIZE];
    struct offline_record *bringers;
    size_t len = 0;
    char *path = NULL;

    reference_format(ref, name);
    bringers = copy_bringers(o, name, &len);
    if (len)
        path = xasprintf("%s/%s", o->folder, bringers[0].file);
    offline_record_free(bringers, len);
    return path;
}

// SPDX-License-Identifier: Apache-2.0
#include "imaged/layer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/file.h"
#include "image/digest.h"
#include "imaged/belt.h"
#include "imaged/implied.h"
#include "imaged/inflate.h"
#include "imaged/leftover.h"
#include "imaged/sha.h"
#include "imaged/stop.h"
#include "imaged/untar.h"

#define TMP_PREFIX ".new-"

enum { FOLDER_MODE = 0700, FS_MODE = 0755 };

struct layer {
    char *folder; /* <root>/layers */
    char *tmp;    /* <root>/layers/.new-<random>; NULL once published */
    char diff_id[DIGEST_SIZE];
    char chain_id[DIGEST_SIZE];
    char *lock_path;
    int lock;
    int tmp_lock;
    int fs;

    struct inflate *inflate;
    struct belt *belt;
    char *room; /* the buffer that is being filled */
    size_t filled;

    /* the thread's, until it was joined */
    pthread_t thread;
    bool runs;
    struct untar *untar;
    struct sha *sha;
    struct error failure;
    bool failed;

    bool compressed;
    struct usage usage;
};

int layer_prepare(const char *root, struct error *err)
{
    AUTO_FREE char *folder = xasprintf("%s/layers", root);

    if (file_make_dirs(folder, FOLDER_MODE, err) < 0 ||
        leftover_remove(folder, TMP_PREFIX, "", err) < 0)
        return -1;
    return leftover_remove(folder, "", ".lock", err);
}

bool layer_find(const struct layer_spec *spec, struct usage *out)
{
    AUTO_FREE char *path = xasprintf("%s/layers/%s/size", spec->root, digest_hex(spec->chain_id));
    AUTO_FINI(buf) text = BUF(USAGE_TEXT_SIZE);
    struct error absent;

    return file_load(AT_FDCWD, path, &text, &absent) == 0 && text.len > 0 &&
           usage_parse(text.data, out);
}

struct layer *layer_new(const struct layer_spec *spec, struct error *err)
{
    AUTO(layer) *l = xcalloc(1, sizeof *l);

    l->lock = l->tmp_lock = l->fs = -1;
    l->folder = xasprintf("%s/layers", spec->root);
    l->lock_path = xasprintf("%s/%s.lock", l->folder, digest_hex(spec->chain_id));
    snprintf(l->diff_id, sizeof l->diff_id, "%s", spec->diff_id);
    snprintf(l->chain_id, sizeof l->chain_id, "%s", spec->chain_id);
    l->lock = leftover_wait_lock(l->lock_path, err);
    return l->lock < 0 ? NULL : TAKE(l);
}

static void join(struct layer *l)
{
    if (!l->runs)
        return;
    belt_end(l->belt);
    pthread_join(l->thread, NULL);
    l->runs = false;
}

void layer_free(struct layer *l)
{
    struct error ignored;

    if (!l)
        return;
    join(l);
    if (l->tmp && file_remove_tree(AT_FDCWD, l->tmp, &ignored) < 0)
        l->tmp[0] = '\0'; /* the next run tries again */
    if (l->lock >= 0)
        unlink(l->lock_path);
    fd_close(&l->lock);
    fd_close(&l->tmp_lock);
    fd_close(&l->fs);
    inflate_free(l->inflate);
    untar_free(l->untar);
    belt_free(l->belt);
    sha_free(l->sha);
    free(l->folder);
    free(l->lock_path);
    free(l->tmp);
    free(l);
}

/* The other thread. After a failure it takes nothing any more. */
static void *unpack(void *data)
{
    struct layer *l = data;
    const char *bytes;
    size_t len;

    while (!l->failed && (bytes = belt_next(l->belt, &len))) {
        sha_add(l->sha, bytes, len);
        l->failed = untar_write(l->untar, bytes, len, &l->failure) < 0;
        belt_pop(l->belt);
    }
    belt_stop(l->belt);
    return NULL;
}

static int make_folders(struct layer *l, struct error *err)
{
    l->tmp_lock = leftover_new(l->folder, TMP_PREFIX, S_IFDIR | FOLDER_MODE, &l->tmp, err);
    if (l->tmp_lock < 0)
        return -1;
    if (mkdirat(l->tmp_lock, "fs", FS_MODE) < 0)
        return error_errno(err, errno, "create folder %s/fs", l->tmp);
    l->fs = openat(l->tmp_lock, "fs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (l->fs < 0)
        return error_errno(err, errno, "open folder %s/fs", l->tmp);
    return 0;
}

static int start(struct layer *l, struct error *err)
{
    int code;

    if (make_folders(l, err) < 0)
        return -1;
    l->inflate = inflate_new();
    l->belt = belt_new();
    l->untar = untar_new(l->fs);
    l->sha = sha_new(digest_algorithm_of(l->diff_id));
    code = pthread_create(&l->thread, NULL, unpack, l);
    if (code != 0)
        return error_errno(err, code, "start thread");
    l->runs = true;
    return 0;
}

/* What only unpacking needs: the layer may wait long until it is published. */
static void drop_buffers(struct layer *l)
{
    enum inflate_format format = inflate_format(l->inflate);

    l->compressed = format == INFLATE_GZIP || format == INFLATE_ZSTD;
    inflate_free(TAKE(l->inflate));
    belt_free(TAKE(l->belt));
}

/* The other thread has stopped: its reason is ours. */
static int give_up(struct layer *l, struct error *err)
{
    join(l);
    *err = l->failure;
    return -1;
}

static int make_room(struct layer *l, struct error *err)
{
    if (l->room && l->filled == BELT_SLOT_SIZE) {
        belt_push(l->belt, l->filled);
        l->room = NULL;
    }
    if (l->room)
        return 0;
    l->filled = 0;
    l->room = belt_room(l->belt);
    return l->room ? 0 : give_up(l, err);
}

int layer_write(struct layer *l, const void *data, size_t len, struct error *err)
{
    struct inflate_input in = {data, len};
    bool more = true;

    if (!l->belt && start(l, err) < 0)
        return -1;
    while (more) {
        ssize_t n = -1;

        if (make_room(l, err) == 0)
            n = inflate_next(l->inflate, &in, l->room + l->filled, BELT_SLOT_SIZE - l->filled, err);
        if (n < 0)
            return -1;
        l->filled += (size_t)n;
        more = in.len > 0 || l->filled == BELT_SLOT_SIZE;
    }
    return 0;
}

/* What the decoder held back, and the last buffer. */
static int flush(struct layer *l, struct error *err)
{
    char tail[INFLATE_MAGIC_MAX];
    ssize_t n = inflate_finish(l->inflate, tail, err);

    if (n < 0 || make_room(l, err) < 0)
        return -1;
    memcpy(l->room + l->filled, tail, (size_t)n);
    l->filled += (size_t)n;
    if (l->filled)
        belt_push(l->belt, l->filled);
    l->room = NULL;
    return 0;
}

static int verify(struct layer *l, struct error *err)
{
    char real[DIGEST_SIZE];

    sha_finish(l->sha, real);
    if (strcmp(real, l->diff_id) != 0)
        return error_set(err, ERROR_PRECONDITION, "wrong diff id: %s is stated, the archive has %s",
                         l->diff_id, real);
    return 0;
}

static int measure(struct layer *l, struct error *err)
{
    char text[USAGE_TEXT_SIZE];
    uint64_t sum;
    bool summed = untar_sum(l->untar, &sum);

    if (usage_measure(l->tmp_lock, "fs", summed ? USAGE_NAMES : USAGE_DATA, &l->usage, err) < 0)
        return -1;
    if (summed)
        l->usage.data = sum;
    usage_format(&l->usage, text);
    return file_store(l->tmp_lock, "size", text, strlen(text), 0644, err);
}

int layer_finish(struct layer *l, struct error *err)
{
    if (!l->belt && start(l, err) < 0)
        return -1;
    if (flush(l, err) < 0)
        return -1;
    join(l);
    if (l->failed) {
        *err = l->failure;
        return -1;
    }
    drop_buffers(l);
    if (untar_finish(l->untar, err) < 0 || verify(l, err) < 0 || measure(l, err) < 0)
        return -1;
    return stop_check(err);
}

int layer_settle(struct layer *l, const struct strv *lowers, struct error *err)
{
    return implied_inherit(l->fs, untar_implied(l->untar), lowers, err);
}

int layer_publish(struct layer *l, struct error *err)
{
    AUTO_FREE char *path = xasprintf("%s/%s", l->folder, digest_hex(l->chain_id));

    /* One that is there without being whole is in the way. */
    if (file_remove_tree(AT_FDCWD, path, err) < 0)
        return -1;
    if (rename(l->tmp, path) < 0)
        return error_errno(err, errno, "publish %s", path);
    free(TAKE(l->tmp));
    return 0;
}

static int sync_by(int (*sync)(int), const char *root, struct error *err)
{
    AUTO_FREE char *folder = xasprintf("%s/layers", root);
    AUTO_CLOSE int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (dir < 0 || sync(dir) < 0)
        return error_errno(err, errno, "sync %s", folder);
    return 0;
}

int layer_sync(const char *root, struct error *err)
{
    return sync_by(syncfs, root, err);
}

int layer_sync_names(const char *root, struct error *err)
{
    return sync_by(fsync, root, err);
}

char *layer_files(const struct layer *l)
{
    return xasprintf("%s/fs", l->tmp);
}

char *layer_final_files(const char *root, const char *chain_id)
{
    return xasprintf("%s/layers/%s/fs", root, digest_hex(chain_id));
}

bool layer_is_awaited(const struct layer *l)
{
    return leftover_is_awaited(l->lock);
}

struct usage layer_usage(const struct layer *l)
{
    return l->usage;
}

bool layer_is_compressed(const struct layer *l)
{
    return l->compressed;
}

// SPDX-License-Identifier: Apache-2.0
#include "imaged/part.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"
#include "image/digest.h"
#include "imaged/leftover.h"

static char *folder_of(const char *root)
{
    return xasprintf("%s/content/parts", root);
}

/* --- those that nobody has --- */

struct found {
    char *path;
    int64_t size;
    int64_t changed_s;
};

static int by_age(const void *a, const void *b)
{
    const struct found *x = a, *y = b;

    return x->changed_s < y->changed_s ? -1 : x->changed_s > y->changed_s;
}

static void drop(const char *path)
{
    AUTO_CLOSE int lock = leftover_lock(path, O_RDWR);

    if (lock >= 0)
        unlink(path);
}

/* Their names sort nowhere near their age, so all of them are looked at. */
static struct found *list(const char *folder, size_t *out_len, struct error *err)
{
    DIR *dir = opendir(folder);
    struct found *all = NULL;
    size_t len = 0;

    if (!dir) {
        error_errno(err, errno, "open folder %s", folder);
        return NULL;
    }
    all = xcalloc(1, sizeof *all);
    for (struct dirent *entry; (entry = readdir(dir));) {
        struct stat st;

        if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
            !S_ISREG(st.st_mode))
            continue;
        all = xrealloc(all, (len + 1) * sizeof *all);
        all[len++] =
            (struct found){xasprintf("%s/%s", folder, entry->d_name), st.st_size, st.st_mtime};
    }
    closedir(dir);
    *out_len = len;
    return all;
}

int part_prepare(const char *root, struct error *err)
{
    AUTO_FREE char *folder = folder_of(root);
    size_t len = 0;
    AUTO_FREE struct found *all = list(folder, &len, err);
    int64_t sum = 0, now = time(NULL);

    if (!all)
        return -1;
    qsort(all, len, sizeof *all, by_age);
    for (size_t i = 0; i < len; i++)
        sum += all[i].size;
    for (size_t i = 0; i < len; i++) {
        if (sum > PART_SUM_MAX || now - all[i].changed_s > PART_AGE_MAX_S)
            drop(all[i].path);
        sum -= all[i].size;
        free(all[i].path);
    }
    return 0;
}

/* --- one of ours --- */

int part_open(const char *root, const char *digest, int64_t size, struct part *out,
              struct error *err)
{
    AUTO_FREE char *folder = folder_of(root);
    struct part p = {.fd = -1};
    struct stat st;

    p.path = xasprintf("%s/%s-%s", folder, digest_algorithm_name(digest_algorithm_of(digest)),
                       digest_hex(digest));
    p.fd = leftover_wait_lock(p.path, err);
    if (p.fd < 0) {
        free(p.path);
        return -1;
    }
    *out = p;
    if (fstat(p.fd, &st) == 0 && st.st_size <= size)
        out->kept = st.st_size;
    else if (part_empty(out, err) < 0) {
        part_close(out, false);
        return -1;
    }
    return 0;
}

int part_empty(struct part *p, struct error *err)
{
    p->kept = 0;
    return ftruncate(p->fd, 0) < 0 ? error_errno(err, errno, "empty %s", p->path) : 0;
}

static bool is_to_stay(const struct part *p, bool taken_in)
{
    struct stat st;

    if (taken_in)
        return leftover_is_awaited(p->fd);
    return fstat(p->fd, &st) == 0 && st.st_size >= PART_WORTH_KEEPING;
}

void part_close(struct part *p, bool taken_in)
{
    if (p->fd >= 0 && !is_to_stay(p, taken_in))
        unlink(p->path);
    fd_close(&p->fd);
    free(p->path);
    p->path = NULL;
}

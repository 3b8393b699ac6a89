// SPDX-License-Identifier: Apache-2.0
#include "imaged/blob.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/own.h"
#include "image/digest.h"
#include "imaged/leftover.h"
#include "imaged/sha.h"

enum { FOLDER_MODE = 0755, PARTS_MODE = 0700, BLOB_MODE = 0444 };

int blob_prepare(const char *root, struct error *err)
{
    AUTO_FREE char *ingest = xasprintf("%s/content/ingest", root);
    AUTO_FREE char *parts = xasprintf("%s/content/parts", root);
    AUTO_FREE char *blobs = xasprintf("%s/content/blobs/sha256", root);

    if (file_make_dirs(ingest, FOLDER_MODE, err) < 0 ||
        file_make_dirs(blobs, FOLDER_MODE, err) < 0 || file_make_dirs(parts, PARTS_MODE, err) < 0)
        return -1;
    return leftover_remove(ingest, "", "", err);
}

static int write_synced(int fd, const void *data, size_t len, struct error *err)
{
    if (fd_write_all(fd, data, len, err) < 0)
        return -1;
    if (fchmod(fd, BLOB_MODE) < 0 || fsync(fd) < 0)
        return error_errno(err, errno, "sync");
    return 0;
}

/* The bytes are synced before they get their name, and the name before anyone is told. */
static int publish(const char *from, const char *folder, const char *to, struct error *err)
{
    AUTO_CLOSE int dir = -1;

    if (file_make_dirs(folder, FOLDER_MODE, err) < 0)
        return -1;
    dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0 || rename(from, to) < 0 || fsync(dir) < 0)
        return error_errno(err, errno, "publish");
    return 0;
}

int blob_store(const char *root, const char *digest, const void *data, size_t len,
               struct error *err)
{
    const char *algorithm = digest_algorithm_name(digest_algorithm_of(digest));
    AUTO_FREE char *folder = xasprintf("%s/content/blobs/%s", root, algorithm);
    AUTO_FREE char *path = xasprintf("%s/%s", folder, digest_hex(digest));
    AUTO_FREE char *ingest = xasprintf("%s/content/ingest", root), *tmp = NULL;
    AUTO_CLOSE int fd = -1;

    if (sha_verify(digest, data, len, err) < 0)
        return -1;
    if (file_exists(path))
        return 0;
    fd = leftover_new(ingest, "", S_IFREG, &tmp, err);
    if (fd < 0)
        return -1;
    if (write_synced(fd, data, len, err) < 0 || publish(tmp, folder, path, err) < 0) {
        unlink(tmp);
        return error_wrap(err, "store %s", digest);
    }
    return 0;
}

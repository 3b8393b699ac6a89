// SPDX-License-Identifier: Apache-2.0
#include "image/shutdown_mark.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/own.h"

enum { BOOT_ID_MAX = 64 };

bool shutdown_mark_is_old(const char *root, const char *boot_id)
{
    AUTO_FREE char *path = xasprintf("%s/running", root);
    AUTO_FINI(buf) text = BUF(BOOT_ID_MAX);
    struct error err;

    if (file_load(AT_FDCWD, path, &text, &err) < 0)
        return err.code != ERROR_NOT_FOUND;
    return text.len == 0 || strcmp(text.data, boot_id) != 0;
}

int shutdown_mark_set(const char *root, const char *boot_id, struct error *err)
{
    AUTO_FREE char *path = xasprintf("%s/running", root);

    return file_store_durable(AT_FDCWD, path, boot_id, strlen(boot_id), 0600, err);
}

void shutdown_mark_clear(const char *root)
{
    AUTO_FREE char *path = xasprintf("%s/running", root);

    unlink(path);
}

int64_t shutdown_mark_last_sign(const char *root)
{
    AUTO_FREE char *path = xasprintf("%s/berth.db-wal", root);
    struct timespec up = {0};
    struct stat st;

    clock_gettime(CLOCK_BOOTTIME, &up);
    return stat(path, &st) == 0 && st.st_mtime < time(NULL) - up.tv_sec ? st.st_mtime : 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "image/layer_check.h"

#include <fcntl.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/own.h"
#include "image/usage.h"

static int load(const char *folder, struct usage *out, struct error *err)
{
    AUTO_FREE char *path = xasprintf("%s/size", folder);
    AUTO_FREE char *fs = xasprintf("%s/fs", folder);
    AUTO_FINI(buf) text = BUF(USAGE_TEXT_SIZE);
    struct error missing;

    if (file_load(AT_FDCWD, path, &text, &missing) < 0 || !text.len ||
        !usage_parse(text.data, out) || !file_exists(fs))
        return error_set(err, ERROR_DATA_LOSS, "layer %s is not on disk", folder);
    return 0;
}

int layer_check(const char *folder, bool closely, struct error *err)
{
    struct usage stated = {0}, found = {0};
    struct error broken;
    AUTO_CLOSE int dir = -1;

    if (load(folder, &stated, err) < 0)
        return -1;
    if (!closely)
        return 0;
    dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0 || usage_measure(dir, "fs", &found, &broken) < 0)
        return error_set(err, ERROR_DATA_LOSS, "layer %s cannot be read", folder);
    if (found.inodes == stated.inodes &&
        (found.content == stated.content || stated.content == USAGE_UNKNOWN))
        return 0;
    return error_set(err, ERROR_DATA_LOSS,
                     "layer %s is damaged: it had %llu files with %llu bytes, and has %llu with "
                     "%llu",
                     folder, (unsigned long long)stated.inodes, (unsigned long long)stated.content,
                     (unsigned long long)found.inodes, (unsigned long long)found.content);
}

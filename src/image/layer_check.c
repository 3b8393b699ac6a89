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

static int damaged(const char *folder, const struct usage *stated, const struct usage *found,
                   struct error *err)
{
    if (stated->inodes != found->inodes)
        return error_set(err, ERROR_DATA_LOSS,
                         "layer %s is damaged: it had %llu files, and has %llu", folder,
                         (unsigned long long)stated->inodes, (unsigned long long)found->inodes);
    if (stated->content != found->content && stated->content != USAGE_UNKNOWN)
        return error_set(err, ERROR_DATA_LOSS,
                         "layer %s is damaged: it had %llu bytes, and has %llu", folder,
                         (unsigned long long)stated->content, (unsigned long long)found->content);
    return error_set(err, ERROR_DATA_LOSS, "layer %s is damaged: its files are not what they were",
                     folder);
}

int layer_check(const char *folder, enum layer_depth depth, struct error *err)
{
    struct usage stated = {0}, found = {0};
    struct error broken;
    AUTO_CLOSE int dir = -1;

    if (load(folder, &stated, err) < 0)
        return -1;
    if (depth == LAYER_IS_THERE)
        return 0;
    dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return error_set(err, ERROR_DATA_LOSS, "layer %s cannot be read", folder);
    if (usage_measure(dir, "fs", depth == LAYER_DATA ? USAGE_DATA : USAGE_NAMES, &found, &broken) <
        0)
        return error_set(err, ERROR_DATA_LOSS, "layer %s cannot be read: %s", folder, broken.text);
    return usage_is_same(&stated, &found) ? 0 : damaged(folder, &stated, &found, err);
}

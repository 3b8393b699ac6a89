// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"
#include "ctl/command.h"
#include "ctl/pull.h"

/* Where berthd finds our open file: it is written with our rights, be it a file or a pipe. */
static const char *export_to(struct ctl *c, const char *image, int fd, struct error *err)
{
    AUTO_FREE char *path = xasprintf("/proc/%d/fd/%d", (int)getpid(), fd);

    return pull_into_path(c, image, path, err);
}

static int export_to_stdout(struct ctl *c, const char *image, struct error *err)
{
    if (isatty(STDOUT_FILENO))
        return error_set(err, ERROR_INVALID, "an archive is not for a terminal: name a file");
    return export_to(c, image, STDOUT_FILENO, err) ? 0 : -1;
}

static int image_export(struct ctl *c, const struct strv *args, struct error *err)
{
    const char *image = args->items[0], *path = args->items[1], *id;
    AUTO_CLOSE int fd = -1;

    if (strcmp(path, "-") == 0)
        return export_to_stdout(c, image, err);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return error_errno(err, errno, "create %s", path);
    id = export_to(c, image, fd, err);
    if (!id) {
        unlink(path);
        return -1;
    }
    puts(id);
    return 0;
}

const struct command image_export_command = {
    .name = "export",
    .arguments = "NAME FILE|-",
    .summary = "write an image as an OCI layout in a tar archive, which is not compressed",
    .args_min = 2,
    .args_max = 2,
    .run = image_export};

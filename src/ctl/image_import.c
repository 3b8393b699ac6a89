// SPDX-License-Identifier: Apache-2.0
#include "ctl/command.h"
#include "ctl/pull.h"

static const char *name;
static const struct flag flags[] = {
    {"name", 'n', FLAG_TEXT, &name, "NAME", "its name, if the archive has none"}, {0}};

static int image_import(struct ctl *c, const struct strv *args, struct error *err)
{
    return pull_from_path(c, args->items[0], name, err) ? 0 : -1;
}

const struct command image_import_command = {
    .name = "import",
    .arguments = "PATH",
    .summary = "take images from an OCI layout (folder or tar) or a docker archive",
    .flags = flags,
    .args_min = 1,
    .args_max = 1,
    .run = image_import};

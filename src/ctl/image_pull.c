// SPDX-License-Identifier: Apache-2.0
#include "ctl/command.h"
#include "ctl/pull.h"

static const char *creds;
static const struct flag flags[] = {
    {"creds", 0, FLAG_TEXT, &creds, "USER:PASSWORD", "for the registry"}, {0}};

static int image_pull(struct ctl *c, const struct strv *args, struct error *err)
{
    const char *id = pull_image(c, args->items[0], creds, err);

    if (!id)
        return -1;
    puts(id);
    return 0;
}

const struct command image_pull_command = {.name = "pull",
                                           .arguments = "NAME",
                                           .summary = "fetch an image from its registry",
                                           .flags = flags,
                                           .args_min = 1,
                                           .args_max = 1,
                                           .run = image_pull};

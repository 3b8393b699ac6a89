// SPDX-License-Identifier: Apache-2.0
#include "ctl/command.h"

static const struct command *const children[] = {&image_import_command, &image_export_command,
                                                 &image_pull_command,   &image_rm_command,
                                                 &images_ls_command,    NULL};

const struct command image_command = {.name = "image",
                                      .arguments = "import|export|pull|rm|ls",
                                      .summary = "bring, write, fetch, remove and list images",
                                      .children = children};

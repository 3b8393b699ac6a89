// SPDX-License-Identifier: Apache-2.0
#include "ctl/command.h"
#include "ctl/follow.h"
#include "ctl/lookup.h"

static bool goes_on;
static int64_t tail = -1;
static const struct flag flags[] = {
    {"follow", 'f', FLAG_SWITCH, &goes_on, NULL, "go on until the container ends"},
    {"tail", 'n', FLAG_NUMBER, &tail, "LINES", "only so many from the end"},
    {0}};

static int logs(struct ctl *c, const struct strv *args, struct error *err)
{
    const Runtime__V1__Container *container = lookup_container(c, args->items[0], err);
    AUTO(follow) *log = container ? follow_open(c, container->id, err) : NULL;

    if (!log || (tail >= 0 && follow_skip(log, tail, err) < 0))
        return -1;
    return goes_on ? follow_until_exit(log, c, NULL, err) : follow_print(log, err);
}

const struct command logs_command = {.name = "logs",
                                     .arguments = "CONTAINER",
                                     .summary = "print a container's log",
                                     .flags = flags,
                                     .args_min = 1,
                                     .args_max = 1,
                                     .run = logs};

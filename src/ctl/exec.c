// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include "base/fd.h"
#include "ctl/command.h"
#include "ctl/lookup.h"

enum { FAILURE_STATUS = 125 }; /* below what a command ends with when it was not found or killed */

static int64_t timeout_s;
static const struct flag flags[] = {
    {"timeout", 0, FLAG_NUMBER, &timeout_s, "SECONDS", "kill the command after so long"}, {0}};

static int print(int fd, const ProtobufCBinaryData *bytes, struct error *err)
{
    return fd_write_all(fd, bytes->data, bytes->len, err);
}

static int run_in_container(struct ctl *c, const struct strv *args, struct error *err)
{
    Runtime__V1__ExecSyncRequest request = RUNTIME__V1__EXEC_SYNC_REQUEST__INIT;
    const Runtime__V1__Container *container = lookup_container(c, args->items[0], err);
    const Runtime__V1__ExecSyncResponse *response;

    if (!container)
        return -1;
    request.container_id = container->id;
    request.cmd = args->items + 1;
    request.n_cmd = args->len - 1;
    request.timeout = timeout_s;
    response = ctl_runtime(c, &c->arena, "ExecSync", &request, err);
    if (!response || print(STDOUT_FILENO, &response->stdout, err) < 0 ||
        print(STDERR_FILENO, &response->stderr, err) < 0)
        return -1;
    return response->exit_code & 0xff;
}

const struct command exec_command = {.name = "exec",
                                     .arguments = "CONTAINER -- CMD...",
                                     .summary = "run a command in a container and print its output",
                                     .flags = flags,
                                     .args_min = 2,
                                     .args_max = SIZE_MAX,
                                     .takes_command_line = true,
                                     .failure = FAILURE_STATUS,
                                     .run = run_in_container};

// SPDX-License-Identifier: Apache-2.0
#include "ctl/command.h"

static int version(struct ctl *c, const struct strv *args, struct error *err)
{
    Runtime__V1__VersionRequest request = RUNTIME__V1__VERSION_REQUEST__INIT;
    const Runtime__V1__VersionResponse *response;
    (void)args;

    printf("berthctl %s\n", BERTH_VERSION);
    fflush(stdout);
    response = ctl_runtime(c, &c->arena, "Version", &request, err);
    if (!response)
        return -1;
    printf("%s %s, CRI %s\n", response->runtime_name, response->runtime_version,
           response->runtime_api_version);
    return 0;
}

const struct command version_command = {.name = "version",
                                        .arguments = "",
                                        .summary = "the versions of berthctl and of the daemon",
                                        .run = version};

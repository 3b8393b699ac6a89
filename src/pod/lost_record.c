// SPDX-License-Identifier: Apache-2.0
#include "pod/lost_record.h"

#include <stdlib.h>
#include <string.h>

#include "base/message.h"
#include "base/own.h"

/* Cuts the last part off the name; what has none gives "". */
static char *cut_part(char *name)
{
    char *line = strrchr(name, '_');

    if (!line)
        return name + strlen(name);
    *line = '\0';
    return line + 1;
}

Runtime__V1__PodSandboxConfig *lost_record_pod(const char *name)
{
    AUTO_FREE char *parts = xstrdup(name);
    Runtime__V1__PodSandboxMetadata metadata = RUNTIME__V1__POD_SANDBOX_METADATA__INIT;
    Runtime__V1__PodSandboxConfig config = RUNTIME__V1__POD_SANDBOX_CONFIG__INIT;

    metadata.attempt = (uint32_t)strtoul(cut_part(parts), NULL, 10);
    metadata.uid = cut_part(parts);
    metadata.namespace_ = cut_part(parts);
    metadata.name = parts;
    config.metadata = &metadata;
    return (Runtime__V1__PodSandboxConfig *)message_copy(&config.base);
}

Runtime__V1__ContainerConfig *lost_record_container(const char *name)
{
    AUTO_FREE char *parts = xstrdup(name);
    Runtime__V1__ContainerMetadata metadata = RUNTIME__V1__CONTAINER_METADATA__INIT;
    Runtime__V1__ImageSpec image = RUNTIME__V1__IMAGE_SPEC__INIT;
    Runtime__V1__ContainerConfig config = RUNTIME__V1__CONTAINER_CONFIG__INIT;

    metadata.attempt = (uint32_t)strtoul(cut_part(parts), NULL, 10);
    for (int i = 0; i < 3; i++)
        cut_part(parts);
    metadata.name = parts;
    config.metadata = &metadata;
    config.image = &image;
    return (Runtime__V1__ContainerConfig *)message_copy(&config.base);
}

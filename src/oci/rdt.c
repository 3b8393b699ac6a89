// SPDX-License-Identifier: Apache-2.0
#include "oci/rdt.h"

#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/own.h"

static const char DEFAULT_CLASS[] = "system/default";

/* Folders of resctrl that are no groups. */
static const char *const NO_GROUPS[] = {".", "..", "info", "mon_data", "mon_groups"};

static bool is_group(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(NO_GROUPS); i++)
        if (strcmp(name, NO_GROUPS[i]) == 0)
            return false;
    return *name && !strchr(name, '/');
}

int oci_rdt_apply(const char *folder, const char *name, struct json_object *linux_part,
                  struct error *err)
{
    AUTO_FREE char *schemata = xasprintf("%s/schemata", folder);
    AUTO_FREE char *group = xasprintf("%s/%s/schemata", folder, name);

    if (!file_exists(schemata))
        return error_set(err, ERROR_PRECONDITION,
                         "RDT class \"%s\": the kernel has no resctrl, or it is not mounted at %s",
                         name, folder);
    if (strcmp(name, DEFAULT_CLASS) == 0)
        return 0;
    if (!is_group(name))
        return error_set(err, ERROR_INVALID, "RDT class \"%s\" is no name of a group", name);
    if (!file_exists(group))
        return error_set(err, ERROR_PRECONDITION, "RDT class \"%s\": there is no such group in %s",
                         name, folder);
    json_add_str(json_add_object(linux_part, "intelRdt"), "closID", name);
    return 0;
}

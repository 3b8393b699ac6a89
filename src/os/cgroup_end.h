// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.h"
#include "os/deadline.h"

/* cgroup_end: takes away a group of processes whose keeper is gone.
 *
 * path is below the hierarchies, such as "/berth/<id>". Kills what is in it and in the groups
 * below, frozen or not, and removes the groups from every hierarchy. A group that is not there is
 * done. ERROR_DEADLINE when something in it does not die. Any thread. */
MUST_CHECK int cgroup_end(const char *path, const struct deadline *by, struct error *err);

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>

#include "ctl/ctl.h"

/* lookup: a pod or container by its id, the first digits of it, or its name.
 *
 * ERROR_NOT_FOUND and ERROR_INVALID (several) say what to do. What is found lives in c's arena. */
struct lookup_target {
    bool is_pod;
    const char *id;
    const char *name;
};

MUST_CHECK const Runtime__V1__Container *lookup_container(struct ctl *c, const char *text,
                                                          struct error *err);

/* A pod or a container. Where both have the name, the pod is meant if the container is in it. */
MUST_CHECK int lookup_any(struct ctl *c, const char *text, struct lookup_target *out,
                          struct error *err);

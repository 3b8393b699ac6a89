// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/strv.h"
#include "ctl/ctl.h"

/* launch: a pod with one container, made and taken away again by one berthctl. */
struct launch_options {
    const char *image;
    const char *name;    /* NULL: made from the image's */
    const char *log_dir; /* the pod's logs go into a folder of its name there */
    const char *runtime; /* runtime handler, "" is berthd's default */
    bool host_network;
    int64_t first_id;    /* of the node's ids in a user namespace; 0: the pod has none */
    struct strv env;     /* NAME=VALUE, or NAME to take ours */
    struct strv publish; /* see publish.h */
    struct strv command; /* empty: the image's */
};

struct launch {
    const struct launch_options *options;
    const char *name;
    const char *uid; /* finds the pod even when we never learned its id */
    const char *log_folder;
    const char *log;          /* the file in there; NULL until it may be ours */
    const char *pod_id;       /* NULL until it is known */
    const char *container_id; /* NULL until it is known */
};

/* Decides on a name. All of it lives in c's arena. */
void launch_init(struct launch *l, struct ctl *c, const struct launch_options *options);

/* Pulls if need be, makes the pod and starts the container. On failure launch_remove() is due. */
MUST_CHECK int launch_start(struct launch *l, struct ctl *c, struct error *err);

/* Stops and removes the pod, if there is one, and its log. */
MUST_CHECK int launch_remove(struct launch *l, struct ctl *c, struct error *err);

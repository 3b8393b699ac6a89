// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>

#include "base/error.h"
#include "base/strv.h"
#include "os/deadline.h"

/* plugin: one run of a CNI plugin, from the program's search to its answer.
 *
 * Configuration goes in on its standard input, everything else through its environment; an answer
 * is JSON, of a failure too. Any thread. */
enum {
    PLUGIN_ANSWER_MAX = 1024 * 1024,
    PLUGIN_STDERR_MAX = 16 * 1024,
};

struct plugin_call {
    const char *command; /* ADD, DEL, STATUS */
    const char *type;    /* the program's name */
    const struct strv *bin_dirs;
    const char *container_id;
    const char *netns;
    const char *ifname;
    const char *args; /* k=v;k=v */
};

/* Runs it. out_answer is NULL when no answer is wanted. When the plugin says that what was to be
 * undone is not there, the code is ERROR_NOT_FOUND, and for no other reason; ERROR_UNIMPLEMENTED,
 * when the plugin is not installed. */
MUST_CHECK int plugin_run(const struct plugin_call *call, struct json_object *config,
                          const struct deadline *by, struct json_object **out_answer,
                          struct error *err);

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* conf: the networks that one folder of CNI configuration asks for.
 *
 * Immutable once loaded and reference counted, so that calls in progress keep the one they began
 * with. JSON is kept as text, because a json-c tree belongs to one thread. Any thread. */
enum {
    CONF_FILE_MAX = 1024 * 1024,
    CONF_NETWORKS_MAX = 64,
    CONF_PLUGINS_MAX = 64,
};

struct conf_plugin {
    char *type;
    char *text; /* its object as configured */
};

struct conf_network {
    char *name;
    char *version; /* of CNI, such as 1.0.0 */
    char *source;  /* the list with all its plugins: what conf_network_init() takes */
    struct conf_plugin *plugins;
    size_t n_plugins;
};

struct conf {
    atomic_uint refs;
    struct conf_network *networks;
    size_t n_networks;
};

/* The first max (0: all) of *.conf, *.conflist and *.json in bytewise order; one that is invalid
 * fails the whole load. Finding none is ERROR_NOT_FOUND. */
MUST_CHECK struct conf *conf_load(const char *dir, unsigned max, struct error *err);
struct conf *conf_ref(struct conf *c);
void conf_unref(struct conf *c);

/* From a list (a conflist) that is complete in itself. */
MUST_CHECK int conf_network_init(struct conf_network *out, struct json_object *list,
                                 struct error *err);
void conf_network_fini(struct conf_network *n);

/* True when the network speaks CNI major.minor.0 or later. */
bool conf_network_speaks(const struct conf_network *n, unsigned major, unsigned minor);

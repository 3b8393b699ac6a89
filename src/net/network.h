// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>

#include "base/error.h"
#include "base/strv.h"
#include "net/cni.h"
#include "net/conf.h"
#include "os/deadline.h"

/* network: the verbs of one network for one pod: its plugins in order, each told what the one
 * before came to. Any thread. */
struct network_call {
    const struct conf_network *network;
    const struct cni_pod *pod;
    const char *ifname;
    const struct strv *bin_dirs;
    const char *cache_dir;
    const struct deadline *by;
};

/* ADD. out_result is that of the last plugin, which is also in the cache. */
MUST_CHECK int network_add(const struct network_call *call, struct json_object **out_result,
                           struct error *err);

/* DEL, in reverse and of all plugins even if one fails; then the first error. result is what ADD
 * came to, or NULL. The cache's entry goes when all succeeded. */
MUST_CHECK int network_remove(const struct network_call *call, struct json_object *result,
                              struct error *err);

/* STATUS; a network before CNI 1.1 is ready. Of call only network, bin_dirs and by are used. */
MUST_CHECK int network_check(const struct network_call *call, struct error *err);

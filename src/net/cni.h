// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>

#include "base/error.h"
#include "base/strv.h"
#include "os/deadline.h"

/* cni: the pod networks of one configuration folder, by the Container Network Interface 1.1.
 *
 * Configuration is loaded into an immutable snapshot that running calls keep, so a reload waits
 * for nobody. Plugins run as child processes; no lock is held meanwhile. Any thread. */
struct cni;

struct cni_options {
    const char *conf_dir;
    const struct strv *bin_dirs;
    unsigned max_conf_num; /* files to use; 0: all */
    const char *cache_dir; /* results, in libcni's format; NULL: /var/lib/cni */
    const char *ip_pref;   /* "", ipv4, ipv6 or cni */
};

struct cni_pod {
    const char *id; /* CNI_CONTAINERID */
    const char *name;
    const char *namespace;
    const char *uid;
    const char *netns;                /* path; "" when it is gone */
    struct json_object *capabilities; /* capability name → its argument; borrowed; may be NULL */
};

struct cni_result {
    struct strv ips; /* of eth0, preferred family first */
    char *record;    /* JSON for cni_detach(): the configuration used and what came of it */
};
void cni_result_fini(struct cni_result *r);

MUST_CHECK struct cni *cni_new(const struct cni_options *options);
void cni_free(struct cni *c);

/* Reads the folder again. The outcome is what cni_check() tells. */
void cni_reload(struct cni *c);

/* An inotify descriptor: when it is readable call cni_changed(), which reloads. -1 when the folder
 * cannot be watched. */
int cni_watch_fd(struct cni *c);
void cni_changed(struct cni *c);

/* Whether the folder, as it was read last, has a usable configuration. */
bool cni_is_loaded(struct cni *c);

/* 0 when a network is configured, else why not, such as
 * "no network config found in /etc/cni/net.d: cni plugin not initialized". */
MUST_CHECK int cni_check(struct cni *c, struct error *err);

/* Attaches the pod's netns to every network as eth0, eth1, ... (ADD). On failure nothing is
 * detached: the caller calls cni_detach(), since a plugin may have done half its work. */
MUST_CHECK int cni_attach(struct cni *c, const struct cni_pod *pod, const struct deadline *by,
                          struct cni_result *out, struct error *err);

/* Detaches (DEL), in reverse, all networks even if one fails; then the first error. record is what
 * cni_attach() gave, or NULL when it did not get that far: then the current configuration is used.
 * "not found" answers, and a missing netns, count as done. ERROR_UNIMPLEMENTED when nothing is in
 * the way but plugins that are not installed. */
MUST_CHECK int cni_detach(struct cni *c, const struct cni_pod *pod, const char *record,
                          const struct deadline *by, struct error *err);

/* The configuration in use as JSON, for verbose Status; the caller frees. */
MUST_CHECK char *cni_describe(struct cni *c);

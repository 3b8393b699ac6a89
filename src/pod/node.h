// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <pthread.h>
#include <stdint.h>

#include "base/error.h"
#include "base/map.h"
#include "base/strv.h"
#include "image/image_store.h"
#include "image/offline.h"
#include "net/cni.h"
#include "oci/features.h"
#include "oci/host.h"
#include "oci/seccomp_cache.h"
#include "oci/selinux_levels.h"
#include "oci/spec.h"
#include "os/cgroup_attach.h"
#include "os/job.h"
#include "os/loop.h"
#include "os/pool.h"
#include "os/sealed.h"
#include "pod/events.h"
#include "store/database.h"

/* node: everything berthd knows, in one place.
 *
 * Made once, before the first request. What is not marked otherwise is constant from then on. The
 * lock guards the maps and the fields of sandboxes and containers that say so; it is held for
 * memory operations only. */

/* The first kernel whose overlays take layers with mapped ids. */
#define NODE_USERNS_KERNEL 5, 19

/* An OCI runtime that pods can name as their handler. One that has left the configuration is kept,
 * with its name, path and root, for the pods that were made with it: they can be stopped and
 * removed, and nothing new starts in them. */
struct node_runtime {
    char *name;
    char *path;
    char *root;       /* its --root: <state>/runtimes/<name> */
    bool has_entries; /* execs may go without it, where it is one for which that can be done */
    bool retired;
    struct sealed *copy;           /* of its binary; NULL: it is not to be run from memory */
    struct seccomp_cache *seccomp; /* NULL for one that was retired */
    struct strv pod_annotations;   /* globs: what is passed on to it */
    struct strv container_annotations;
    struct oci_policy policy;
    struct json_object *base_spec; /* or NULL */
    struct oci_features features;  /* under the node's lock: it is asked while pods are served */
    bool was_asked;                /* under the node's lock: it has answered, or will not */
};

struct stream_server;

struct node {
    char *root;      /* /var/lib/berth */
    char *state;     /* /run/berth */
    char *socket;    /* for the shim's command line */
    char *shim;      /* path of the shim's program */
    int shim_folder; /* where it is, read-only: mount_open_read_only(); -1: it is run by its path */
    int64_t log_line_max;
    struct node_runtime *runtimes;
    size_t n_runtimes;
    struct map retired; /* name → struct node_runtime; filled by recovery */
    char *default_runtime;
    char *unset_seccomp_profile;
    bool unprivileged_ports; /* in pods with a network of their own everybody may bind low ports */
    bool unprivileged_icmp;  /* and send pings */
    struct cdi_cache *cdi;
    bool selinux_enabled;                /* by the configuration, and the kernel has it */
    struct selinux_levels selinux;       /* what levels pods have then */
    struct json_object *blockio_classes; /* or NULL */
    struct oci_host host;
    bool systemd_cgroups; /* see cgroup_driver.h */
    char boot_id[37];

    struct cgroup_attach cgroup_attach;
    struct database *database;
    struct image_store *images;
    struct offline *offline;
    struct cni *cni;
    char *cni_conf_dir;
    char *cni_conf_template; /* for UpdateRuntimeConfig; "": none */
    struct events *events;
    struct loop *loop;
    struct pool *pool;
    struct job_table *jobs;
    struct stream_server *streams; /* for the layers above */
    int exits_fd;                  /* <state>/exits, a folder */
    struct strv leftovers;         /* of recovery: folders that belong to nobody */

    pthread_mutex_t lock;
    pthread_cond_t asked;     /* with the lock: another runtime was asked for its features */
    pthread_cond_t recovered; /* with the lock: a container is nobody's work any more */
    struct map sandboxes;     /* id → struct sandbox, with a reference */
    struct map containers;    /* id → struct container, with a reference */
    struct map names;         /* reserved name → id, a string of ours */
    bool maps_ids;            /* the file system of the layers can, and the kernel's overlays */
};

/* The runtime for a handler: "" is the default one. Where the host's cgroups are hybrid in a way
 * that crun refuses, the default falls back to runc. ERROR_UNKNOWN tells what is missing. */
MUST_CHECK const struct node_runtime *node_runtime_for(const struct node *n, const char *handler,
                                                       struct error *err);

/* The runtime with exactly that name; NULL. */
const struct node_runtime *node_runtime_find(const struct node *n, const char *name);

/* The same, of those too that are not configured any more: then it had that path, or "", when it
 * was. Recovery only. */
const struct node_runtime *node_runtime_recall(struct node *n, const char *name, const char *path);

/* Asks every runtime what it can do, and tries what the node can. It takes a while, so only those
 * of the first requests wait for it whose outcome depends on it. */
void node_ask_features(struct node *n);

/* What is known of it by now. */
struct oci_features node_features(struct node *n, const struct node_runtime *r);

/* The same when it has been asked: waits for that, which a runtime that hangs cannot hold up for
 * long. */
struct oci_features node_await_features(struct node *n, const struct node_runtime *r);

/* Whether pods of this runtime can have user namespaces, with all that belongs to them. */
bool node_has_user_namespaces(struct node *n, const struct node_runtime *r);

/* Takes a name for an id. ERROR_PRECONDITION names who has it. */
MUST_CHECK int node_reserve_name(struct node *n, const char *name, const char *id,
                                 struct error *err);
void node_release_name(struct node *n, const char *name);

/* The id that has the name, or NULL; the caller frees. */
char *node_name_owner(struct node *n, const char *name);

/* <state>/pods/<id>; the caller frees. */
char *node_pod_dir(const struct node *n, const char *pod_id);

/* Finds by whole id or unambiguous beginning, under the lock. ERROR_UNKNOWN for "" and ambiguous
 * ones, ERROR_NOT_FOUND else; what says "pod" or "container". */
MUST_CHECK void *node_lookup(const struct map *map, const char *id, const char *what,
                             struct error *err);

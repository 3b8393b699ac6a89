// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cri.pb-c.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/id.h"
#include "base/idmap.h"
#include "base/own.h"
#include "base/strv.h"
#include "os/loop.h"
#include "pod/cpu_sample.h"
#include "pod/node.h"

/* sandbox: one pod: its namespaces, its network, its shim.
 *
 * Shared by reference count; the node's map holds one. Fields below "under the node's lock" change,
 * the others are constant once it is in the map. On disk: a row of pods, and <state>/pods/<id>. */
enum sandbox_state { SANDBOX_NOTREADY, SANDBOX_READY, SANDBOX_UNKNOWN };

struct sandbox {
    _Atomic int refs;
    struct node *node;
    char id[ID_SIZE];
    char *name; /* <name>_<namespace>_<uid>_<attempt> */
    Runtime__V1__PodSandboxConfig *config;
    char *handler; /* as the client named it */
    const struct node_runtime *runtime;
    char *dir;
    struct idmap ids; /* of its user namespace; all zero: it has none */
    int64_t created_ns;
    pthread_mutex_t mounting; /* held while an image is mounted for a container */
    bool announced;           /* clients were told of it; not so while it is half-made */
    _Atomic bool shim_lost;   /* it was killed, and cannot end because a disk does not answer */

    /* under the node's lock */
    enum sandbox_state state;
    struct strv ips;
    char *cni; /* record for cni_detach(); NULL before and after */
    bool network_closed;
    struct cpu_sample cpu;
    /* What UpdatePodSandboxResources said last; NULL: nothing. */
    Runtime__V1__UpdatePodSandboxResourcesRequest *updated;
    bool unclaimed;      /* made for a client that left before it had the answer */
    pid_t shim_pid;      /* 0: none */
    uint64_t shim_start; /* its start time, which with the pid is its identity */
    int shim_pidfd;
    struct loop_source *shim_watch; /* the loop's thread only */
};

struct sandbox *sandbox_new(struct node *n, const char *id, const char *name,
                            Runtime__V1__PodSandboxConfig *taken_config);
struct sandbox *sandbox_ref(struct sandbox *s);
void sandbox_free(struct sandbox *s); /* drops a reference */
DEFINE_AUTO(sandbox)

/* A reference, by id or its beginning. */
MUST_CHECK struct sandbox *sandbox_find(struct node *n, const char *id, struct error *err);

/* All, each with a reference; the caller frees the array too. */
struct sandbox **sandbox_list(struct node *n, size_t *out_count);

enum sandbox_state sandbox_state(struct sandbox *s);

/* ERROR_UNKNOWN unless something new may start in it: it is ready, and its runtime configured. */
MUST_CHECK int sandbox_check_usable(struct sandbox *s, struct error *err);

/* False when its shim has ended, or never was. */
bool sandbox_has_shim(const struct sandbox *s);

/* The user namespace that a pod is to have, all zero for none. Failures name the field and the
 * value; nothing depends on the node. */
MUST_CHECK int sandbox_ids(const Runtime__V1__PodSandboxConfig *config, struct idmap *out,
                           struct error *err);

/* What the pod has of its own. */
Runtime__V1__NamespaceOption *sandbox_namespaces(const struct sandbox *s); /* may be NULL */
bool sandbox_on_host_network(const struct sandbox *s);
bool sandbox_on_host_ipc(const struct sandbox *s);
bool sandbox_shares_pids(const struct sandbox *s);

/* RunPodSandbox. The caller frees *out_id. */
MUST_CHECK int sandbox_run(struct node *n, const Runtime__V1__RunPodSandboxRequest *request,
                           const struct deadline *client, char **out_id, struct error *err);

/* UpdatePodSandboxResources: replaces both, and NULL clears. The pod's cgroup is the kubelet's. */
MUST_CHECK int sandbox_update(struct sandbox *s, Runtime__V1__LinuxContainerResources *overhead,
                              Runtime__V1__LinuxContainerResources *resources, struct error *err);

/* StopPodSandbox and RemovePodSandbox. What is done already is passed over, so that they can be
 * called again. They go on without their client; who comes meanwhile joins. */
MUST_CHECK int sandbox_stop(struct sandbox *s, const struct deadline *client, struct error *err);
MUST_CHECK int sandbox_remove(struct sandbox *s, const struct deadline *client, struct error *err);

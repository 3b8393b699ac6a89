// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cri.pb-c.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/id.h"
#include "base/own.h"
#include "base/strv.h"
#include "oci/user.h"
#include "os/disk_usage.h"
#include "pod/cpu_sample.h"
#include "pod/node.h"
#include "pod/sandbox.h"

/* container: one container of a pod.
 *
 * Shared by reference count; the node's map holds one. Fields below "under the node's lock" change,
 * the others are constant once it is in the map. On disk: a row of containers, the bundle
 * <pod dir>/c/<id>, and <root>/containers/<id>. */
enum container_state {
    CONTAINER_CREATED = 0, /* numbers as in CRI */
    CONTAINER_RUNNING = 1,
    CONTAINER_EXITED = 2,
    CONTAINER_UNKNOWN = 3,
};

/* What excludes itself and the other. */
enum container_work { CONTAINER_IDLE, CONTAINER_STARTING, CONTAINER_REMOVING };

/* What changes in the life of a container, and is stored. The state follows from it. */
struct container_status {
    int64_t created_ns;
    int64_t started_ns;
    int64_t finished_ns;
    int exit_code;
    pid_t pid;
    char *reason;  /* or NULL */
    char *message; /* or NULL */
};

struct container {
    _Atomic int refs;
    struct sandbox *sandbox; /* with a reference */
    char id[ID_SIZE];
    char *name; /* <ctr>_<pod>_<namespace>_<uid>_<attempt> */
    Runtime__V1__ContainerConfig *config;
    char *image_id;
    char *image_ref;   /* what ContainerStatus says: a repo digest, or the id */
    char *image_name;  /* a tag of the image, or "" */
    char *log_path;    /* "": its output is thrown away */
    char *stop_signal; /* of the image; "": none */
    char *cgroups_path;
    char *bundle;
    char *dir;
    struct strv layers; /* chain ids, held in the image store */
    struct oci_user user;
    char *seccomp; /* its profile, when nobody has compiled that yet: its start does; or NULL */
    pthread_mutex_t changing; /* held by container_change_status() alone */
    pthread_mutex_t updating; /* held by container_update() alone */

    /* under the node's lock */
    struct container_status status;
    bool unknown;             /* nobody can tell its state */
    enum container_work work; /* under way */
    bool interrupted; /* an earlier berthd died in one: recovery finds out what became of it */
    bool recovering;  /* and is still at it: who comes meanwhile waits */
    bool unclaimed;   /* made for a client that left before it had the answer */
    bool signalled;   /* the stop signal was sent, which happens once */
    int stopped_fd;   /* an eventfd, readable for good once it has exited; -1 before it starts */
    Runtime__V1__LinuxContainerResources *resources; /* as its spec has them; may be NULL */
    struct cpu_sample cpu;
    struct disk_usage disk; /* of its writable layer, as it was at disk_at_ns */
    int64_t disk_at_ns;     /* 0: never looked */
};

struct container *container_new(struct sandbox *s, const char *id, const char *name,
                                Runtime__V1__ContainerConfig *taken_config);
struct container *container_ref(struct container *c);
void container_free(struct container *c); /* drops a reference */
DEFINE_AUTO(container)

/* A reference, by id or its beginning. */
MUST_CHECK struct container *container_find(struct node *n, const char *id, struct error *err);

/* All of a pod (or, with NULL, of the node), each with a reference; the caller frees the array. */
struct container **container_list(struct node *n, const struct sandbox *s, size_t *out_count);

/* Paths of its image's layers, lowest first; with none, that of an empty folder. */
void container_layer_paths(const struct container *c, struct strv *out);

/* False when it shares the PID namespace of the pod, the node or another container. */
bool container_owns_pids(const struct container *c);
Runtime__V1__NamespaceOption *container_namespaces(const struct container *c); /* may be NULL */

/* The process whose PID namespace it is to join, which another container of its pod runs; 0 when it
 * asks for no such thing. ERROR_UNKNOWN when that container does not run there. */
MUST_CHECK int container_target_pid(const struct container *c, pid_t *out, struct error *err);

/* Under the node's lock. */
enum container_state container_state_locked(const struct container *c);
enum container_state container_state(struct container *c);
const char *container_state_name(enum container_state state);

/* ERROR_UNKNOWN unless it is running. */
MUST_CHECK int container_check_running(struct container *c, struct error *err);

/* Before it is started or removed, and when that has ended, unless it is gone. ERROR_UNKNOWN says
 * what is in the way: its state, or work that is under way. Only for recovery it waits, some
 * seconds. */
MUST_CHECK int container_claim(struct container *c, enum container_work work, struct error *err);
void container_unclaim(struct container *c);

/* Changes the status: change() edits a copy, which is stored and then published, so that nobody
 * sees what may be lost. Changes of one container come one after the other; readers do not wait. */
typedef void container_change(struct container_status *status, const void *data);
MUST_CHECK int container_change_status(struct container *c, container_change *change,
                                       const void *data, struct error *err);

/* The same for what is known from elsewhere after a restart too: it is published even when it could
 * not be stored, which is the failure. */
MUST_CHECK int container_tell_status(struct container *c, container_change *change,
                                     const void *data, struct error *err);

/* Makes stopped_fd, before the container runs. */
MUST_CHECK int container_open_latch(struct container *c, struct error *err);

/* Replaces a string of a status. */
void container_set_text(char **text, const char *value);
void container_status_fini(struct container_status *status);

/* The RPCs. */
MUST_CHECK int container_create(struct node *n, const Runtime__V1__CreateContainerRequest *request,
                                const struct deadline *client, char **out_id, struct error *err);
MUST_CHECK int container_start(struct container *c, struct error *err);
MUST_CHECK int container_stop(struct container *c, int64_t timeout_s, const struct deadline *client,
                              struct error *err);
MUST_CHECK int container_remove(struct container *c, const struct deadline *client,
                                struct error *err);
MUST_CHECK int container_update(struct container *c,
                                const Runtime__V1__LinuxContainerResources *next,
                                struct error *err);

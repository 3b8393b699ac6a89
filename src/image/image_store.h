// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"
#include "image/image.h"
#include "os/deadline.h"
#include "os/disk_usage.h"
#include "os/job.h"
#include "store/database.h"

/* image_store: the images of this node and the layers on its disk.
 *
 * Records are in the database and, whole, in memory; layers are folders below <root>/layers. A
 * layer stays while an image or a holder (a container, a running pull) needs it; the last one to
 * let go removes it. Any thread; readers never wait for pulls. */
struct image_store;

/* What it points to has to outlive the store. Texts may be NULL or "" but for the first two. */
struct image_store_options {
    const char *root;              /* /var/lib/berth */
    const char *helper;            /* path of berth-image */
    const char *boot_id;           /* of the node */
    const struct strv *hosts_dirs; /* folders of hosts.toml files */
    int64_t idle_timeout_ms;       /* how long a registry may send nothing; 0: a default */
    struct database *database;
    const char *auth_file; /* credentials per registry, as "docker login" writes them */
    const char *http_proxy, *https_proxy, *no_proxy; /* instead of the environment's */
    const struct strv *pinned;                       /* see pins.h */
};

/* Loads the records. Images whose layers are not there are forgotten and fetched again; after the
 * node went down while we ran all layers are looked at closely, and until then what asks for images
 * waits. Layers that nobody needs go only with image_store_collect(). */
MUST_CHECK struct image_store *image_store_open(const struct image_store_options *options,
                                                struct error *err);
void image_store_close(struct image_store *s);

/* By name, id or unambiguous beginning of an id. ERROR_NOT_FOUND; ERROR_UNKNOWN when several ids
 * begin so; ERROR_INVALID when it can be no name. */
MUST_CHECK struct image *image_store_find(struct image_store *s, const char *name,
                                          struct error *err);

/* All of them, each with a reference; the caller frees the array too. */
MUST_CHECK struct image **image_store_list(struct image_store *s, size_t *out_count);

struct image_credentials {
    const char *username, *password, *auth, *server_address, *identity_token, *registry_token;
};

struct image_progress {
    const char *layer;
    const char *state;
    uint64_t done_bytes;
    uint64_t total_bytes;
};

struct image_request {
    const char *name; /* pull: what to pull; import: name for an archive that has none, or "" */
    const char *path; /* import: the archive or folder; NULL: pull */
    struct image_credentials credentials;
    const struct deadline *client; /* joiners give up at it; the work itself goes on */
    void (*progress)(void *data, const struct image_progress *progress); /* may be NULL */
    void *data;
    struct strv *out_ids;   /* gets the ids of all that came, or NULL */
    struct strv *out_names; /* and their names; both stay empty when somebody else did the work */
};

/* Fetches or imports, and returns the image (the first of several). A second pull of the same name
 * with the same credentials joins the running one. */
MUST_CHECK struct image *image_store_fetch(struct image_store *s,
                                           const struct image_request *request, struct error *err);

/* Asks each host that the image might be pulled from and calls each with what berth-image says:
 * the events "reference" and "host" of docs/image-protocol.md. */
MUST_CHECK int image_store_explain(struct image_store *s, const struct image_request *request,
                                   int (*each)(void *data, struct json_object *event,
                                               struct error *err),
                                   void *data, struct error *err);

/* Whether the kubelet is asked to keep it. */
bool image_store_is_pinned(const struct image_store *s, const struct image *i);

/* Removes the image with all its names; a missing one is fine. Its disk space is free on return,
 * but for layers somebody holds. */
MUST_CHECK int image_store_remove(struct image_store *s, const char *name, struct error *err);

/* Keeps layers from being removed, and lets them go. Chain ids. */
void image_store_hold(struct image_store *s, const struct strv *chain_ids);
void image_store_release(struct image_store *s, const struct strv *chain_ids);

/* Removes folders of layers that no image and no holder knows, and manifests that no image has; for
 * the start of the daemon. */
void image_store_collect(struct image_store *s);

/* What images take on disk: layers, as berth-image measured them, and what is beside them, which
 * was looked at at *out_at_ns (content.h). */
void image_store_usage(struct image_store *s, struct disk_usage *out, int64_t *out_at_ns);

/* <root>/layers/<hex>/fs of a chain id; the caller frees. */
char *image_store_layer_path(struct image_store *s, const char *chain_id);
const char *image_store_root(const struct image_store *s);

/* What it was opened with. */
const struct image_store_options *image_store_setup(const struct image_store *s);

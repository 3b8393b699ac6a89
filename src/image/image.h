// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"
#include "base/strv.h"

/* image: one image of the store, as it was when it was looked up.
 *
 * Immutable once it is in the store: a change of its names makes a new one. Shared by reference
 * count. Any thread. */
struct image_layer {
    char *chain_id; /* "sha256:<hex>"; names the folder below layers/ */
    char *digest;   /* of the compressed blob */
    uint64_t size;  /* of the compressed blob */
    uint64_t used_bytes;
    uint64_t inodes;
};

struct image {
    _Atomic int refs;
    char *id;          /* digest of the configuration: "sha256:<hex>" */
    struct strv names; /* repo:tag and repo@digest, normalised */
    char *target;      /* digest that the names point to: of an index or of the manifest */
    char *manifest;    /* digest of the manifest for this platform */
    char *config;      /* the OCI image configuration, JSON text */
    char *user;        /* its User, or NULL: what lists need should not take parsing */
    uint64_t size;     /* compressed, with manifests and configuration */
    int64_t pulled_ns;
    struct image_layer *layers; /* lowest first */
    size_t n_layers;
};

struct image *image_new(const char *id);
struct image *image_ref(struct image *i);
void image_free(struct image *i); /* drops a reference */
DEFINE_AUTO(image)

/* A copy with the same contents and no names. */
struct image *image_copy_unnamed(const struct image *i);

/* Takes the configuration. One that is no JSON names no user. */
void image_set_config(struct image *i, char *taken);

void image_add_layer(struct image *i, const struct image_layer *layer); /* copies */

/* From the "image" event of berth-image. */
MUST_CHECK struct image *image_parse(struct json_object *event, struct error *err);

/* The first name that is a tag, the first that is a digest; or NULL. */
const char *image_tag(const struct image *i);
const char *image_digest_name(const struct image *i);

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <pthread.h>
#include <stdbool.h>

#include "image/content.h"
#include "image/image_index.h"
#include "image/image_repair.h"
#include "image/image_store.h"
#include "image/layer_refs.h"

/* The image store's insides, for its own files. */
struct image_store {
    struct image_store_options options;
    pthread_mutex_t change; /* records and list change together; readers do not meet it */
    struct database *database;
    struct image_index *index;
    struct layer_refs *layers;
    struct content *content;
    struct job_table *jobs;
    struct image_repair *repair;
    bool marked;    /* <root>/running is ours */
    int closing_fd; /* becomes readable when the store is closed */
};

/* Records the image and lists it, with all names it had; holds its layers unless it was there. */
MUST_CHECK int image_store_put(struct image_store *s, struct image *i, struct error *err);

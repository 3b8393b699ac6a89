// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>

#include "image/image_store.h"

/* image_job: what berth-image is told to do, as docs/image-protocol.md has it. Any thread. */

/* op is "pull" or "explain"; name is what to ask the registry for. The caller's to drop. */
struct json_object *image_job_pull(const struct image_store_options *options, const char *op,
                                   const char *name, const struct image_credentials *credentials);

/* With that name, or "". */
struct json_object *image_job_export(const struct image_store_options *options,
                                     const struct image *i, const char *name);

/* name may be "". */
struct json_object *image_job_import(const struct image_store_options *options, const char *path,
                                     const char *name);

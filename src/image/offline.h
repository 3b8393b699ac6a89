// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>

#include "base/error.h"
#include "image/image_store.h"
#include "image/reference.h"

/* offline: images that lie as archives in a folder of this node, for nodes without a network.
 *
 * What is in the folder is on the node: each archive is imported once, and again when its size,
 * time or inode changes or one of its images is gone. That is remembered in <root>/offline.json, so
 * a start reads no archive that it knows. The folder is looked through at the start, when a file in
 * it was written or came or went, and for a pull of what is not there or is not as it was. Names
 * from the folder are never asked of a registry. Any thread; one looks through the folder at a
 * time, and others wait for it. */
struct offline;

enum { OFFLINE_FILES_MAX = 4096 };

/* folder: NULL or "" has no images ever. Borrowed, as the store. */
MUST_CHECK struct offline *offline_new(struct image_store *s, const char *folder);
void offline_free(struct offline *o);

/* Imports what is new or changed. What fails is logged, once for each version of an archive that
 * is broken; nothing else comes of it. */
void offline_scan(struct offline *o);

/* True when nobody has asked for a scan yet that has not begun: then the caller has one done. */
bool offline_want_scan(struct offline *o);

/* Makes a scan end behind the archive it is at. */
void offline_stop(struct offline *o);

/* The image of that name when the folder brought it, after a scan when there is none, or when its
 * archive or the folder has changed; else NULL. The caller's reference. */
struct image *offline_find(struct offline *o, const char *name);

/* The archive that brought the name, by its path, which the caller frees; or NULL. */
char *offline_path(struct offline *o, const struct image_reference *ref);

/* Whether the folder brought the image. */
bool offline_has(struct offline *o, const char *id);

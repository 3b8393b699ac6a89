// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ctl/ctl.h"

/* pull: images on their way to this node, with progress on standard error. What returns a text
 * returns the image's id, in c's arena. */

/* What berthd is to be told. creds is "user:password", or NULL. */
MUST_CHECK int pull_describe(struct ctl *c, const char *name, const char *creds,
                             Berth__V1__PullImageRequest *out, struct error *err);

MUST_CHECK const char *pull_image(struct ctl *c, const char *name, const char *creds,
                                  struct error *err);

/* Only when the node does not have it. */
MUST_CHECK const char *pull_if_absent(struct ctl *c, const char *name, struct error *err);

/* Writes the image there, a file that exists; the id is the one it has in the archive. */
MUST_CHECK const char *pull_into_path(struct ctl *c, const char *name, const char *path,
                                      struct error *err);

/* path is an archive or folder on this node; name may be NULL. Prints the names of what came. */
MUST_CHECK const char *pull_from_path(struct ctl *c, const char *path, const char *name,
                                      struct error *err);

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cri.pb-c.h>

#include "base/error.h"
#include "pod/sandbox.h"

/* image_volume: an image mounted read-only into containers (Mount.image of CRI).
 *
 * All containers of a pod share one mount of an image; it goes when the pod stops. On disk:
 * <pod dir>/images/<hex of the manifest's digest> with the mount, and beside it <hex>.layers with
 * the chain ids that are held for it. In a pod with a user namespace it has the ids of that, as the
 * root file systems have. Any thread. */

/* Mounts what the mount names and puts the path in its host_path, so that from then on it is like
 * any other. Words of failures begin with ImageVolumeMountFailed, which clients look for. */
MUST_CHECK int image_volume_prepare(struct sandbox *s, Runtime__V1__Mount *mount,
                                    struct error *err);

/* Takes the holds again after a restart of berthd. */
void image_volume_recover(struct sandbox *s);

/* Unmounts all of the pod's and lets their layers go. Can be repeated. */
MUST_CHECK int image_volume_release(struct sandbox *s, struct error *err);

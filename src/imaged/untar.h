// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"
#include "base/strv.h"

/* untar: makes the files of a layer's archive below a folder, as overlayfs wants them in a layer.
 *
 * Nothing outside of the folder is touched, whatever the archive says. ".wh." entries become
 * overlayfs whiteouts and opaque folders; the folder itself keeps its own owner and mode. Owners,
 * modes, times and extended attributes are set, so it wants root's capabilities and umask 0. Owned
 * by who made it; one thread at a time. */
struct untar;

enum { UNTAR_DIRS_MAX = 1024 * 1024 };

/* The folder stays the caller's and open. */
MUST_CHECK struct untar *untar_new(int root);
void untar_free(struct untar *u);
DEFINE_AUTO(untar)

/* Bytes of an uncompressed archive. The words of an error begin with the entry's name.
 * ERROR_INVALID for what is no archive, ERROR_EXHAUSTED above limits, others by errno. */
MUST_CHECK int untar_write(struct untar *u, const void *data, size_t len, struct error *err);

/* The archive has ended: sets the folders' times, which later entries had disturbed. */
MUST_CHECK int untar_finish(struct untar *u, struct error *err);

/* Folders that had to be made and that no entry was about: what lower layers have at their place
 * decides about their owner and mode. Valid until untar_free(). */
const struct strv *untar_implied(const struct untar *u);

/* What the sums of all files add up to (file_sum.h), without reading them. False when an entry has
 * replaced another: what is left has to be read then. After untar_finish(). */
bool untar_sum(const struct untar *u, uint64_t *out);

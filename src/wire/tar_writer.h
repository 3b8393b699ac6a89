// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/buf.h"
#include "base/error.h"
#include "wire/tar.h"

/* tar_writer: the heads of entries of a tar archive, in ustar format, with a pax header in front
 * where that is too small for what is to be said. It knows no descriptor. Any thread.
 *
 * An archive is, for each entry, its head, its data and TAR_PADDING() zero bytes; then TAR_END
 * zero bytes. The same entries make the same bytes. */
enum { TAR_END = 2 * TAR_BLOCK_SIZE, TAR_HEAD_MAX = TAR_EXTENSION_MAX + 3 * TAR_BLOCK_SIZE };

#define TAR_PADDING(size) ((size_t)(-(size) % TAR_BLOCK_SIZE))

/* Appends an entry's head. Times before 1970 become 1970; sparse and accessed do not count.
 * ERROR_EXHAUSTED when its extended attributes are too long to be written. */
MUST_CHECK int tar_writer_head(const struct tar_entry *e, struct buf *out, struct error *err);

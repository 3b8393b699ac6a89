// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/own.h"
#include "base/strv.h"
#include "oci/cdi_catalog.h"

/* cdi_cache: the files of some folders that describe devices, read when they are needed.
 *
 * Files are *.json and *.yaml, in the folders and not below them, at most CDI_CACHE_FILES_MAX. One
 * that is wrong is passed over with a line in the log. They are read when the first device is asked
 * for, and again when any of them has changed. Any thread: the lock inside is held for memory
 * operations. */
enum { CDI_CACHE_FILES_MAX = 1024 };

struct cdi_cache;

struct cdi_cache *cdi_cache_new(const struct strv *folders);
void cdi_cache_free(struct cdi_cache *c);
DEFINE_AUTO(cdi_cache)

/* A reference to the catalog of now. */
struct cdi_catalog *cdi_cache_read(struct cdi_cache *c);

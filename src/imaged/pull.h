// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.h"
#include "base/strv.h"
#include "image/platform.h"
#include "imaged/registry.h"

/* pull: one image from a registry to the disk. Blocks; once per process at a time. */
struct pull {
    const char *root;
    const char *image; /* any name: it is normalised */
    struct registry_credentials credentials;
    const struct strv *hosts_dirs;
    struct platform platform;
    size_t concurrency;
};

/* The codes of registry.h and assembly.h; the words begin with what was pulled. */
MUST_CHECK int pull_run(const struct pull *p, struct error *err);

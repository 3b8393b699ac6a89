// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.h"
#include "base/strv.h"
#include "image/platform.h"
#include "imaged/fetcher.h"
#include "imaged/registry.h"

/* pull: one image from a registry to the disk. Once per process. */
struct pull {
    const char *root;
    const char *image; /* any name: it is normalised */
    struct registry_credentials credentials;
    const struct strv *hosts_dirs;
    const char *auth_file; /* or NULL */
    struct platform platform;
    size_t concurrency;
    int64_t idle_timeout_ms; /* of the registry; 0: a default */
    struct fetcher fetcher;  /* pull_start() sets it; fetcher_end() */
};

/* Starts the process that talks to the registry: before the sandbox and before any thread. */
MUST_CHECK int pull_start(struct pull *p, struct error *err);

/* Blocks. The codes of registry.h and assembly.h; the words begin with what was pulled. When no
 * host could be connected to, "RegistryUnavailable: " is in front of them and the code is
 * ERROR_UNKNOWN, because that is what the kubelet looks for. */
MUST_CHECK int pull_run(struct pull *p, struct error *err);

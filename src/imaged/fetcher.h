// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/types.h>

#include "base/error.h"
#include "imaged/registry.h"

/* fetcher: the process that talks to registries.
 *
 * It has the network and may write nowhere but into the files that errands (errand.h) bring. It
 * ends when the other end of its socket is closed, and with the process that started it. */

struct fetcher {
    int socket; /* for errands */
    pid_t pid;  /* 0: not started */
};

/* A configuration that is wrong is what each errand then fails with. Before any thread. */
MUST_CHECK int fetcher_start(const struct registry_options *options, struct fetcher *out,
                             struct error *err);

/* Ends it, whatever it does, and waits for that. */
void fetcher_end(struct fetcher *f);

/* What that process does to itself before it talks to anybody, for who does so without it.
 * Certificates and keys for its hosts have been read by then. */
MUST_CHECK int fetcher_enter_sandbox(struct error *err);

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.h"
#include "imaged/registry.h"

/* fetcher: the process that talks to registries.
 *
 * It has the network and may write nowhere but into the files that errands (errand.h) bring. It
 * ends when the other end of its socket is closed, and with the process that started it. */

/* Starts it and returns the socket for errands, the caller's to close. A configuration that is
 * wrong is what each errand then fails with. Before any thread. */
MUST_CHECK int fetcher_start(const struct registry_options *options, struct error *err);

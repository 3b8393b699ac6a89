// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.h"
#include "pod/sandbox.h"

/* left_network: what is left of the networks of pods that ended while a plugin was not installed.
 *
 * A pod's interfaces go with its namespace. What plugins keep elsewhere, its address for one, is
 * given back when the plugin is there again; so a pod can be removed although a plugin is missing.
 * On disk: a row of left_networks. Any thread. */

/* record is what cni_attach() gave. */
MUST_CHECK int left_network_store(struct sandbox *s, const char *record, struct error *err);

/* Tries all of them once more, or waits for who begins to after this call. Failures are logged. May
 * take a while. */
void left_network_retry(struct node *n);

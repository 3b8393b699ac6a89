// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* labels: label selectors. protobuf-c makes a type of its own for the entries of each map, all of
 * them alike; these functions take any. Any thread. */

/* True when every pair of the selector is among the labels. */
bool labels_match(const void *labels, size_t n_labels, const void *selector, size_t n_selector);

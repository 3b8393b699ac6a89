// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* net_dial: a TCP connection to the loopback address of a network namespace.
 *
 * The calling thread enters the namespace only to make the socket, which stays in it. netns is a
 * path, or NULL for our own. Returns a socket that does not block; writable once it is connected or
 * SO_ERROR tells why not. Any thread of ours. */
MUST_CHECK int net_dial(const char *netns, bool is_ipv6, uint16_t port, struct error *err);

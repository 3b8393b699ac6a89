// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "cri.pb-c.h"

/* publish: a port of the node that leads to one of a pod, as people write it:
 * "[ADDRESS:]HOSTPORT:PORT[/tcp|udp|sctp]". Any thread. */

/* In the arena; NULL, with ERROR_INVALID, when it makes no sense. An IPv6 address is in brackets.
 */
MUST_CHECK Runtime__V1__PortMapping *publish_parse(const char *text, struct arena *a,
                                                   struct error *err);

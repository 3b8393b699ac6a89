// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.h"
#include "base/strv.h"

/* cidrs: the address ranges of a node's pods, as the kubelet tells them: "10.1.0.0/24,fd00::/64".
 *
 * Memory of the caller. Any thread. */
enum { CIDRS_MAX = 32 };

struct cidrs {
    struct strv ranges; /* as they were written, at least one */
    struct strv routes; /* 0.0.0.0/0 when one of them is IPv4, ::/0 when one is IPv6 */
};
void cidrs_fini(struct cidrs *c);

/* Parses a list with commas, and spaces around its parts. ERROR_UNKNOWN names the part that is no
 * CIDR. */
MUST_CHECK int cidrs_parse(struct cidrs *out, const char *text, struct error *err);

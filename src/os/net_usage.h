// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* net_usage: what the interfaces of a network namespace have carried. */
enum { NET_USAGE_INTERFACES_MAX = 64 };

struct net_usage_interface {
    char name[16];
    uint64_t rx_bytes, rx_errors, tx_bytes, tx_errors;
};

struct net_usage {
    struct net_usage_interface interfaces[NET_USAGE_INTERFACES_MAX]; /* without lo */
    size_t n;
};

/* Enters the namespace with the calling thread for the length of a read. Any thread of ours. */
MUST_CHECK int net_usage_read(const char *netns, struct net_usage *out, struct error *err);

/* The parser of /proc/net/dev alone. */
void net_usage_parse(const char *text, struct net_usage *out);

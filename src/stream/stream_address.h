// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/error.h"

/* stream_address: where the streaming server listens. Memory of the caller; any thread. */
struct stream_address {
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
    } socket;
    socklen_t len;
};

/* text is an address (IPv6 with or without brackets), a name of this host, which is looked up once,
 * or "" for the address with which this host speaks to others. */
MUST_CHECK int stream_address_find(const char *text, uint16_t port, struct stream_address *out,
                                   struct error *err);

/* "127.0.0.1:80" or "[::1]:80", as in a URL. The caller frees. */
MUST_CHECK char *stream_address_format(const struct stream_address *a);

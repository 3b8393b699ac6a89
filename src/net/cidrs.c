// SPDX-License-Identifier: Apache-2.0
#include "net/cidrs.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"

static const char space[] = " \t\r\n";

void cidrs_fini(struct cidrs *c)
{
    strv_fini(&c->ranges);
    strv_fini(&c->routes);
}

/* The address family, or 0 when it is no address with a prefix length. */
static int family_of(const char *text)
{
    char address[INET6_ADDRSTRLEN], unused[sizeof(struct in6_addr)];
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : 0, digits = slash ? strlen(slash + 1) : 0;
    int family = memchr(text, ':', len) ? AF_INET6 : AF_INET;
    long bits;

    if (len == 0 || len >= sizeof address || digits == 0 || digits > 3 ||
        strspn(slash + 1, "0123456789") != digits)
        return 0;
    snprintf(address, sizeof address, "%.*s", (int)len, text);
    bits = strtol(slash + 1, NULL, 10);
    if (inet_pton(family, address, unused) != 1 || bits > (family == AF_INET ? 32 : 128))
        return 0;
    return family;
}

static int add(struct cidrs *c, const char *part, bool seen[2], struct error *err)
{
    int family = family_of(part);

    if (family == 0)
        return error_set(err, ERROR_UNKNOWN, "invalid CIDR address: \"%s\"", part);
    if (c->ranges.len == CIDRS_MAX)
        return error_set(err, ERROR_UNKNOWN, "more than %d CIDRs", CIDRS_MAX);
    strv_add(&c->ranges, part);
    seen[family == AF_INET6] = true;
    return 0;
}

int cidrs_parse(struct cidrs *out, const char *text, struct error *err)
{
    struct cidrs c = {0};
    bool seen[2] = {false};

    for (const char *at = text, *comma; at; at = comma ? comma + 1 : NULL) {
        size_t len;

        comma = strchr(at, ',');
        at += strspn(at, space);
        len = comma ? (size_t)(comma - at) : strlen(at);
        while (len > 0 && strchr(space, at[len - 1]))
            len--;
        AUTO_FREE char *part = xstrndup(at, len);
        if (add(&c, part, seen, err) < 0) {
            cidrs_fini(&c);
            return -1;
        }
    }
    if (seen[0])
        strv_add(&c.routes, "0.0.0.0/0");
    if (seen[1])
        strv_add(&c.routes, "::/0");
    *out = c;
    return 0;
}

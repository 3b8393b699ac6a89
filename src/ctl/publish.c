// SPDX-License-Identifier: Apache-2.0
#include "ctl/publish.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* The number at *text, which moves behind it; -1 when it is no port. */
static int take_port(const char **text)
{
    size_t digits = strspn(*text, "0123456789");
    long port = digits > 0 && digits <= 5 ? strtol(*text, NULL, 10) : -1;

    *text += digits;
    return port >= 1 && port <= UINT16_MAX ? (int)port : -1;
}

static int protocol_of(const char *text)
{
    static const char *const names[] = {"tcp", "udp", "sctp"}; /* as CRI numbers them */

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(text, names[i]) == 0)
            return (int)i;
    return -1;
}

static bool is_address(const char *text)
{
    struct in6_addr room;

    return inet_pton(AF_INET, text, &room) == 1 || inet_pton(AF_INET6, text, &room) == 1;
}

/* What stands in front of the two ports; NULL when it is no address. */
static const char *take_address(const char **text, struct arena *a)
{
    const char *colon = strchr(*text, ':'), *start = *text, *end;
    char *address;

    if (*start == '[') {
        end = strchr(++start, ']');
        colon = end && end[1] == ':' ? end + 1 : NULL;
    } else if (colon && !strchr(colon + 1, ':')) {
        return ""; /* only the ports are there */
    } else {
        end = colon;
    }
    if (!colon)
        return NULL;
    address = arena_printf(a, "%.*s", (int)(end - start), start);
    *text = colon + 1;
    return is_address(address) ? address : NULL;
}

Runtime__V1__PortMapping *publish_parse(const char *text, struct arena *a, struct error *err)
{
    Runtime__V1__PortMapping *m = arena_new(a, &runtime__v1__port_mapping__descriptor);
    const char *at = text, *address = take_address(&at, a);
    int host = address ? take_port(&at) : -1, port = -1, protocol = 0;

    if (host > 0 && *at++ == ':')
        port = take_port(&at);
    if (port > 0 && *at == '/')
        protocol = protocol_of(at + 1);
    else if (port > 0 && *at)
        port = -1;
    if (port < 0 || protocol < 0) {
        error_set(err, ERROR_INVALID,
                  "\"%s\" is not [ADDRESS:]HOSTPORT:PORT[/tcp|udp|sctp] with ports to 65535", text);
        return NULL;
    }
    m->host_ip = (char *)address;
    m->host_port = host;
    m->container_port = port;
    m->protocol = (Runtime__V1__Protocol)protocol;
    return m;
}

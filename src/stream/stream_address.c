// SPDX-License-Identifier: Apache-2.0
#include "stream/stream_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <string.h>

#include "base/fd.h"
#include "base/own.h"

/* --- this host's own address --- */

/* The kernel tells with which address it would speak to another one; nothing is sent. The two are
 * those of documentation (RFC 5737, RFC 3849), which stand for any that the default route is for.
 */
static int find_own(int family, struct stream_address *out)
{
    AUTO_CLOSE int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct stream_address other = {.len = sizeof other.socket.ipv4};

    if (fd < 0)
        return -1;
    if (family == AF_INET) {
        other.socket.ipv4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(9)};
        inet_pton(AF_INET, "192.0.2.1", &other.socket.ipv4.sin_addr);
    } else {
        other.len = sizeof other.socket.ipv6;
        other.socket.ipv6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(9)};
        inet_pton(AF_INET6, "2001:db8::1", &other.socket.ipv6.sin6_addr);
    }
    *out = (struct stream_address){.len = sizeof out->socket};
    if (connect(fd, &other.socket.any, other.len) < 0)
        return -1;
    return getsockname(fd, &out->socket.any, &out->len);
}

/* --- names --- */

static int look_up(const char *name, struct stream_address *out, struct error *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    int rc = getaddrinfo(name, NULL, &hints, &found);

    if (rc != 0)
        return error_set(err, ERROR_INVALID,
                         "\"%.200s\" is neither an address nor a known name: %s", name,
                         gai_strerror(rc));
    *out = (struct stream_address){.len = found->ai_addrlen};
    memcpy(&out->socket, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return 0;
}

/* An address needs no resolver, whose libraries we would not get rid of again. */
static int parse(const char *text, struct stream_address *out, struct error *err)
{
    size_t len = strlen(text);
    bool bracketed = len > 2 && text[0] == '[' && text[len - 1] == ']';
    AUTO_FREE char *bare = bracketed ? xstrndup(text + 1, len - 2) : xstrdup(text);

    *out = (struct stream_address){.len = sizeof out->socket.ipv4};
    out->socket.any.sa_family = AF_INET;
    if (!bracketed && inet_pton(AF_INET, bare, &out->socket.ipv4.sin_addr) == 1)
        return 0;
    out->len = sizeof out->socket.ipv6;
    out->socket.any.sa_family = AF_INET6;
    if (inet_pton(AF_INET6, bare, &out->socket.ipv6.sin6_addr) == 1)
        return 0;
    if (bracketed)
        return error_set(err, ERROR_INVALID, "\"%.200s\" is no IPv6 address", text);
    return look_up(bare, out, err);
}

/* --- verbs --- */

int stream_address_find(const char *text, uint16_t port, struct stream_address *out,
                        struct error *err)
{
    struct stream_address found;

    if (!*text && find_own(AF_INET, &found) < 0 && find_own(AF_INET6, &found) < 0)
        return error_set(err, ERROR_UNAVAILABLE,
                         "this host has no address to speak to others with: name one");
    if (*text && parse(text, &found, err) < 0)
        return -1;
    if (found.socket.any.sa_family == AF_INET6)
        found.socket.ipv6.sin6_port = htons(port);
    else
        found.socket.ipv4.sin_port = htons(port);
    *out = found;
    return 0;
}

char *stream_address_format(const struct stream_address *a)
{
    char text[INET6_ADDRSTRLEN], zone[IF_NAMESIZE];
    const struct sockaddr_in6 *ipv6 = &a->socket.ipv6;

    if (a->socket.any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &a->socket.ipv4.sin_addr, text, sizeof text);
        return xasprintf("%s:%u", text, ntohs(a->socket.ipv4.sin_port));
    }
    inet_ntop(AF_INET6, &ipv6->sin6_addr, text, sizeof text);
    /* RFC 6874: in a URL the percent sign is escaped. */
    if (ipv6->sin6_scope_id && if_indextoname(ipv6->sin6_scope_id, zone))
        return xasprintf("[%s%%25%s]:%u", text, zone, ntohs(ipv6->sin6_port));
    return xasprintf("[%s]:%u", text, ntohs(ipv6->sin6_port));
}

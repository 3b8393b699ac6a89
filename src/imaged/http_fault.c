// SPDX-License-Identifier: Apache-2.0
#include "imaged/http_fault.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/own.h"

enum http_fault http_fault_of_handshake(const char *text)
{
    static const char *const no_tls[] = {"wrong version number", "packet length too long",
                                         "http request", "unexpected eof"};

    for (size_t i = 0; i < COUNT_OF(no_tls); i++)
        if (strstr(text, no_tls[i]))
            return HTTP_FAULT_NO_TLS;
    return strstr(text, "SYSCALL") ? HTTP_FAULT_BROKEN : HTTP_FAULT_OTHER;
}

const char *http_fault_words_of_handshake(const char *text)
{
    return strstr(text, "unexpected eof") || strstr(text, "SYSCALL")
               ? "ended the TLS handshake: perhaps it does not speak TLS, or not for that name"
               : "does not speak TLS (\"http://\" in hosts.toml would do without)";
}

const char *http_fault_of_certificate(const char *text)
{
    static const struct {
        const char *sign, *words;
    } known[] = {
        {"subject name", "for other names"},
        {"has expired", "that has expired (or the clock of this node is wrong)"},
        {"not yet valid", "that is not valid yet (or the clock of this node is wrong)"},
    };

    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (strstr(text, known[i].sign))
            return known[i].words;
    return "that is not trusted (a \"ca\" in hosts.toml would make it so)";
}

bool http_fault_find_proxy(const char *text, const char *host,
                           char out[static HTTP_FAULT_PEER_SIZE])
{
    char peer[256];
    unsigned port;

    if (sscanf(text, "Failed to connect to %255s port %u", peer, &port) != 2 ||
        strcasecmp(peer, host) == 0 || *host == '[') /* which curl writes without brackets */
        return false;
    snprintf(out, HTTP_FAULT_PEER_SIZE, "%s:%u", peer, port);
    return true;
}

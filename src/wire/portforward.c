// SPDX-License-Identifier: Apache-2.0
#include "wire/portforward.h"

#include <stdio.h>
#include <string.h>

#include "base/own.h"

static const char TUNNEL[] = "SPDY/3.1+portforward.k8s.io";

static const char *const spdy_protocols[] = {"portforward.k8s.io", NULL};
static const char *const websocket_protocols[] = {TUNNEL, "v4.channel.k8s.io",
                                                  "v4.base64.channel.k8s.io", NULL};

const struct upgrade_protocols portforward_protocols = {spdy_protocols, websocket_protocols};

bool portforward_is_tunnel(const char *protocol)
{
    return strcmp(protocol, TUNNEL) == 0;
}

int portforward_port_parse(const char *text, uint16_t *out, struct error *err)
{
    unsigned long port = 0;

    for (const char *at = text; *at; at++) {
        if (*at < '0' || *at > '9' || at - text >= 5)
            return error_set(err, ERROR_INVALID, "\"%.20s\" is no port", text);
        port = port * 10 + (unsigned long)(*at - '0');
    }
    if (port < 1 || port > UINT16_MAX)
        return error_set(err, ERROR_INVALID, "\"%.20s\" is no port", text);
    *out = (uint16_t)port;
    return 0;
}

int portforward_stream_parse(const struct spdy_event *opened, struct portforward_stream *out,
                             struct error *err)
{
    const char *type = spdy_event_find(opened, "streamtype");
    const char *port = spdy_event_find(opened, "port");
    const char *id = spdy_event_find(opened, "requestid");
    struct portforward_stream stream = {0};

    if (!type || (strcmp(type, "data") != 0 && strcmp(type, "error") != 0))
        return error_set(err, ERROR_INVALID, "the stream's streamType is neither data nor error");
    stream.is_error = *type == 'e';
    if (!port)
        return error_set(err, ERROR_INVALID, "the stream has no port");
    if (portforward_port_parse(port, &stream.port, err) < 0)
        return -1;
    if (id && strlen(id) > PORTFORWARD_ID_MAX)
        return error_set(err, ERROR_INVALID, "the stream's requestID is too long");
    /* Old clients send none; they open the error stream first. */
    if (id && *id)
        memcpy(stream.request_id, id, strlen(id));
    else
        snprintf(stream.request_id, sizeof stream.request_id, "%u",
                 stream.is_error ? opened->stream : opened->stream - 2);
    *out = stream;
    return 0;
}

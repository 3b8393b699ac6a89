// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "wire/spdy.h"
#include "wire/upgrade.h"

/* portforward: what a port forward says over SPDY or WebSocket: its protocols and the headers of
 * its streams. Any thread. */

/* For upgrade_answer(). */
extern const struct upgrade_protocols portforward_protocols;

/* The WebSocket protocol is SPDY in binary messages, which know no bounds: what a websocket gives
 * is fed to a spdy. Otherwise channels 2n and 2n + 1 are data and error of the n-th port of the
 * request, and each begins with the port in two bytes, little-endian, from us. */
bool portforward_is_tunnel(const char *protocol);

enum { PORTFORWARD_ID_MAX = 127 };

struct portforward_stream {
    bool is_error; /* otherwise it is the data stream of its pair */
    uint16_t port;
    char request_id[PORTFORWARD_ID_MAX + 1]; /* the same for both streams of a pair */
};

/* 1 to 65535, in decimal. */
MUST_CHECK int portforward_port_parse(const char *text, uint16_t *out, struct error *err);

/* From a SPDY_OPENED. ERROR_INVALID tells what is wrong with its headers. */
MUST_CHECK int portforward_stream_parse(const struct spdy_event *opened,
                                        struct portforward_stream *out, struct error *err);

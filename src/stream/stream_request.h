// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"
#include "base/own.h"
#include "base/strv.h"

/* stream_request: what a client may do once with the URL it was given.
 *
 * It names its container or pod and holds no reference: what it is by then is looked at when the
 * URL is used. One owner at a time. */
enum stream_kind { STREAM_EXEC, STREAM_ATTACH, STREAM_PORT_FORWARD };

enum { STREAM_PORTS_MAX = 64 };

struct stream_request {
    enum stream_kind kind;
    char id[ID_SIZE]; /* of the container, or of the pod */
    struct strv command;
    bool tty;
    bool has_stdin;
    bool has_stdout;
    bool has_stderr;
    uint16_t ports[STREAM_PORTS_MAX]; /* in the order of their WebSocket channels */
    size_t n_ports;
};

struct stream_request *stream_request_new(enum stream_kind kind, const char *id);
void stream_request_free(struct stream_request *r);
DEFINE_AUTO(stream_request)

/* The first part of the URL's path: exec, attach or portforward. */
const char *stream_request_path(enum stream_kind kind);

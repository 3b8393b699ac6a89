// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "pod/node.h"
#include "stream/stream_stats.h"
#include "stream/tls_gate.h"
#include "stream/tokens.h"

/* stream_session: one connection to the streaming server, from the HTTP request to its end. Runs on
 * its own thread, top to bottom. */
struct stream_session {
    struct node *node;
    struct tokens *tokens;
    struct stream_stats *stats;
    struct tls_gate *gate; /* NULL: no TLS */
    int stop_fd;           /* readable when berthd stops */
};

enum { STREAM_SESSION_HEAD_MS = 10 * 1000 };

/* Takes the socket, which does not block. */
void stream_session_run(const struct stream_session *s, int fd);

/* Answers with a status and a sentence, as far as the socket takes it at once. */
void stream_session_refuse(int fd, int status, const char *text);

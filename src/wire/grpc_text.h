// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* grpc_text: the header values of gRPC that have a syntax of their own: grpc-timeout and
 * grpc-message, as the gRPC over HTTP/2 protocol page defines them. Any thread. */
enum {
    GRPC_TEXT_TIMEOUT_SIZE = 24,
    GRPC_TEXT_MESSAGE_SIZE = 3 * ERROR_TEXT_MAX, /* every byte percent-encoded */
};

/* At most eight digits and a unit, one of H M S m u n. ERROR_INTERNAL, as grpc-go has it. */
MUST_CHECK int grpc_text_parse_timeout(const char *text, int64_t *out_ns, struct error *err);

/* Rounded up to what eight digits can tell; a negative timeout is 0. */
void grpc_text_format_timeout(char out[static GRPC_TEXT_TIMEOUT_SIZE], int64_t timeout_ns);

/* Percent-encodes all but printable ASCII, and '%'. What does not fit into ERROR_TEXT_MAX bytes
 * before encoding is cut. */
void grpc_text_encode(char out[static GRPC_TEXT_MESSAGE_SIZE], const char *text);

/* Decodes in place and adds a NUL behind the result: text has room for len + 1. What is no percent
 * encoding stays as it is. */
void grpc_text_decode(char *text, size_t len);

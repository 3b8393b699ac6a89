// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <stdint.h>

/* sha1: for the WebSocket handshake, which is no matter of security. Any thread. */
enum { SHA1_SIZE = 20 };

void sha1_of(const void *data, size_t len, uint8_t out[static SHA1_SIZE]);

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.h"
#include "stream/stream_request.h"

/* tokens: what the URLs stand for that were given out and not used yet.
 *
 * A token is TOKENS_LEN characters that are safe in a URL, 72 random bits. It is good for one use
 * within TOKENS_LIFE_MS. Any thread. */
struct tokens;

enum { TOKENS_LEN = 12, TOKENS_SIZE = TOKENS_LEN + 1, TOKENS_MAX = 1000, TOKENS_LIFE_MS = 60000 };

MUST_CHECK struct tokens *tokens_new(void);
void tokens_free(struct tokens *t);

/* Takes the request, on failure too. ERROR_EXHAUSTED when there are TOKENS_MAX. */
MUST_CHECK int tokens_add(struct tokens *t, struct stream_request *taken, int64_t now_ns,
                          char out[static TOKENS_SIZE], struct error *err);

/* The request of a token, which is used up by that; NULL when it is unknown, used or too old. The
 * caller frees it. now_ns is clock_monotonic_ns(), here and above. */
MUST_CHECK struct stream_request *tokens_take(struct tokens *t, const char *token, int64_t now_ns);

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"
#include "imaged/credentials.h"
#include "imaged/http_client.h"

/* token: fetches a bearer token from the server that a challenge names.
 *
 * By POST (OAuth 2) when there is a secret to show, and by GET when the server does not know that,
 * or for anonymous access. Any thread. */
struct token_request {
    struct http_client *client;            /* of the host that made the challenge */
    const struct strv *headers;            /* configured for that host; NULL: none */
    const struct credentials *credentials; /* to show; secret NULL: anonymous */
    const char *realm;
    const char *service; /* or NULL */
    const struct strv *scopes;
};

enum { TOKEN_BYTES_MAX = 1 << 20, TOKEN_LIFE_MS = 60000 };

/* What the server's answer says. As token_fetch(); ERROR_UNAUTHENTICATED when it has no token. */
MUST_CHECK int token_decode(const char *text, size_t len, char **out_token, int64_t *out_life_ms,
                            struct error *err);

/* out_token is the caller's to free; out_life_ms is how long it holds, TOKEN_LIFE_MS when the
 * server does not say. ERROR_UNAUTHENTICATED when the server refuses. */
MUST_CHECK int token_fetch(const struct token_request *request, char **out_token,
                           int64_t *out_life_ms, struct error *err);

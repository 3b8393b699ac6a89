// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.h"
#include "base/own.h"
#include "base/strv.h"
#include "image/challenge.h"
#include "imaged/credentials.h"
#include "imaged/http_client.h"

/* auth: what to put into the Authorization header for each host of one pull.
 *
 * Nothing is sent before a host has asked for it. What a host asked for is remembered, and a token
 * is fetched again when it expires; threads that need the same one wait for one fetch. Any
 * thread. */
struct auth;

struct auth_host {
    const char *authority;
    struct http_client *client;
    const struct strv *headers;            /* configured for it, also for its token server */
    const struct credentials *credentials; /* to show to it; NULL: none */
};

/* scope is what the pull needs: "repository:<path>:pull". */
MUST_CHECK struct auth *auth_new(const char *scope);
void auth_free(struct auth *a);
DEFINE_AUTO(auth)

/* *out becomes the value to send, the caller's to free, or NULL. */
MUST_CHECK int auth_header(struct auth *a, const struct auth_host *host, char **out,
                           struct error *err);

/* After a 401 to a request with the header sent (NULL: none): 0 when there is something better to
 * send now. ERROR_UNAUTHENTICATED when there is not. */
MUST_CHECK int auth_challenged(struct auth *a, const struct auth_host *host,
                               const struct challenge_list *challenges, const char *sent,
                               struct error *err);

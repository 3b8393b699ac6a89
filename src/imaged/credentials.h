// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>

#include "base/error.h"

/* credentials: what we were given to show to a registry.
 *
 * Owned by who parsed it; not changed afterwards, so any thread may read it. Never logged. */
struct credentials {
    char *username;  /* "" with a secret: the secret is an OAuth refresh token */
    char *secret;    /* password or identity token; NULL: anonymous */
    char *bearer;    /* a registry token, used as it is; or NULL */
    char *authority; /* they are for this host only, or NULL for any */
    char *origin;    /* for people: where they are from; or NULL */
};

struct registry_credentials;

/* As CRI's AuthConfig counts: username, identity_token, auth. from may be NULL.
 * ERROR_INVALID when auth is not base64 of "username:password". */
MUST_CHECK int credentials_parse(const struct registry_credentials *from, struct credentials *out,
                                 struct error *err);
void credentials_fini(struct credentials *c);

/* Whether there is anything to show. */
bool credentials_are_any(const struct credentials *c);

/* Whether they may be shown to that host. */
bool credentials_are_for(const struct credentials *c, const char *authority);

/* "Basic ..." of the username and the secret, which there must be; the caller frees. */
char *credentials_basic(const struct credentials *c);

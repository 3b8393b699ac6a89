// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>

#include "base/error.h"
#include "base/own.h"
#include "imaged/credentials.h"

/* keyring: which credentials are shown to which host of one pull.
 *
 * Those that came with the request are for its registry, and for mirrors that have none of their
 * own, because the kubelet does not say whose they are. The others are in a file as "docker login"
 * writes it, with an entry for a host or for a part of its repositories:
 *
 *     {"auths": {"registry.example:5000": {"auth": "…"}, "quay.io/team": {"identitytoken": "…"}}}
 *
 * Its programs ("credHelpers") are not run. Not changed once opened, so any thread may read it. */
struct keyring;
struct registry_credentials;

enum { KEYRING_BYTES_MAX = 1 << 20, KEYRING_ENTRIES_MAX = 1024 };

/* Both may be NULL; a missing file is an empty one, and one that cannot be used is logged.
 * ERROR_INVALID when what came with the request makes no sense. */
MUST_CHECK struct keyring *keyring_open(const struct registry_credentials *request,
                                        const char *path, struct error *err);
/* Adds what is in a file's text, before anything is found. Entries that cannot be used are logged.
 */
MUST_CHECK int keyring_add(struct keyring *k, const char *file, const char *text, size_t len,
                           struct error *err);
/* The file that cannot be used, and why; or NULL. Borrowed. */
const char *keyring_unused(const struct keyring *k);
void keyring_free(struct keyring *k);
DEFINE_AUTO(keyring)

/* For a repository at a host; NULL: nothing is shown. */
const struct credentials *keyring_find(const struct keyring *k, const char *authority,
                                       const char *repository, bool is_mirror);

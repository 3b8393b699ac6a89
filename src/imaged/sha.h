// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>

#include "base/error.h"
#include "base/own.h"
#include "image/digest.h"

/* sha: hashes bytes as they come and tells their digest. One thread at a time. */
struct sha;

MUST_CHECK struct sha *sha_new(enum digest_algorithm algorithm);
void sha_free(struct sha *s);
DEFINE_AUTO(sha)

void sha_add(struct sha *s, const void *data, size_t len);

/* The digest of all bytes, such as "sha256:…". Nothing can be added afterwards. */
void sha_finish(struct sha *s, char out[static DIGEST_SIZE]);

/* All at once. */
void sha_of(enum digest_algorithm algorithm, const void *data, size_t len,
            char out[static DIGEST_SIZE]);

/* ERROR_PRECONDITION when the bytes are not those that the digest names. */
MUST_CHECK int sha_verify(const char *digest, const void *data, size_t len, struct error *err);

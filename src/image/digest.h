// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>

#include "base/error.h"

/* digest: the text "sha256:<64 hex digits>" (or sha384, sha512) that names bytes by their hash.
 *
 * A digest is kept as its text, in a char[DIGEST_SIZE]. What was checked here may become part of a
 * path. Nothing is hashed here. Any thread. */
enum digest_algorithm { DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512 };

enum {
    DIGEST_HEX_MAX = 128,
    DIGEST_TEXT_MAX = 7 + DIGEST_HEX_MAX,
    DIGEST_SIZE = DIGEST_TEXT_MAX + 1,
};

/* True for a known algorithm with as many lower-case hex digits as it has. NULL is none. */
bool digest_is_valid(const char *text);

/* Checks and copies. ERROR_INVALID tells what is wrong with it. */
MUST_CHECK int digest_parse(const char *text, char out[static DIGEST_SIZE], struct error *err);

/* These want a valid digest. */
enum digest_algorithm digest_algorithm_of(const char *digest);
const char *digest_algorithm_name(enum digest_algorithm algorithm); /* "sha256" */
const char *digest_hex(const char *digest);                         /* behind the colon */

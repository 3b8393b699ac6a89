// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>

#include "base/error.h"
#include "image/digest.h"

/* reference: the name of an image, such as "registry.k8s.io/pause:3.9", taken apart.
 *
 * Parsing also normalises, as Docker does: "busybox" is docker.io/library/busybox:latest, and a tag
 * beside a digest is dropped. So a parsed reference has a domain, a path and exactly one of tag
 * and digest. A value, copied freely. Any thread. */
enum {
    REFERENCE_DOMAIN_MAX = 255,
    REFERENCE_PATH_MAX = 255,
    REFERENCE_TAG_MAX = 128,
    REFERENCE_TEXT_SIZE = REFERENCE_DOMAIN_MAX + 1 + REFERENCE_PATH_MAX + 1 + REFERENCE_TAG_MAX +
                          1 + DIGEST_TEXT_MAX + 1,
};

struct image_reference {
    char domain[REFERENCE_DOMAIN_MAX + 1]; /* "registry.k8s.io", "[::1]:5000" */
    char path[REFERENCE_PATH_MAX + 1];     /* "library/busybox" */
    char tag[REFERENCE_TAG_MAX + 1];       /* or "" */
    char digest[DIGEST_SIZE];              /* or "" */
};

/* ERROR_INVALID tells what is wrong with it; a bare 64 digit hex string is an id, not a name. */
MUST_CHECK int reference_parse(const char *text, struct image_reference *out, struct error *err);

/* "docker.io/library/busybox:latest": the name under which an image is recorded. */
void reference_format(const struct image_reference *ref, char out[static REFERENCE_TEXT_SIZE]);

/* "docker.io/library/busybox@<digest>": the repository of ref with that digest, which is valid. */
void reference_format_digest(const struct image_reference *ref, const char *digest,
                             char out[static REFERENCE_TEXT_SIZE]);

/* For lookups. A whole digest is an id and never a name. Anything else is looked up as a name
 * first, and if there is none, as the beginning of an id when it can be one: hex digits, with or
 * without "sha256:" before them. */
bool reference_is_id(const char *text);

/* The hex digits text has as an id or the beginning of one (1 to 64), a pointer into text; NULL
 * when it cannot be one. */
const char *reference_id_prefix(const char *text);

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>

#include "base/error.h"

/* platform: operating system, architecture and variant, and which images run on a host.
 *
 * Kept normalised: x86_64 is amd64, aarch64 and arm64/v8 are arm64, armhf is arm/v7. A value,
 * copied freely. Any thread. */
enum { PLATFORM_FIELD_MAX = 31, PLATFORM_TEXT_SIZE = 3 * (PLATFORM_FIELD_MAX + 1) };

struct platform {
    char os[PLATFORM_FIELD_MAX + 1];
    char architecture[PLATFORM_FIELD_MAX + 1];
    char variant[PLATFORM_FIELD_MAX + 1]; /* or "" */
    bool wants_features;                  /* os.features is not empty: never runs here */
};

/* Sets and normalises; NULL is "". A text too long is cut short and so matches nothing. */
void platform_set(struct platform *out, const char *os, const char *architecture,
                  const char *variant);

/* "linux/arm64/v8". */
MUST_CHECK int platform_parse(const char *text, struct platform *out, struct error *err);
void platform_format(const struct platform *p, char out[static PLATFORM_TEXT_SIZE]);

/* What this program was built for, and of x86-64 the level that the processor has. */
void platform_host(struct platform *out);

/* How well an image for that platform runs on the host: 0 is best, more is worse, -1 not at all. */
int platform_rank(const struct platform *host, const struct platform *image);

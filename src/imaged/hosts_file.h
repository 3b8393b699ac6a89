// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>

#include "imaged/hosts.h"

/* hosts_file: what a hosts.toml says. Only for hosts.c. */

/* dir is where relative paths start; out is empty. */
MUST_CHECK int hosts_file_decode(const char *text, size_t len, const char *dir, const char *domain,
                                 struct hosts *out, struct error *err);

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* utf8: the only text that JSON can hold. Any thread. */

/* True when the bytes are whole characters: no surrogates, no overlong forms, up to U+10FFFF. */
bool oci_utf8_is_valid(const char *text, size_t len);

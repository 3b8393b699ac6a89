// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* utf8: the only text that JSON and protobuf's strings can hold. Any thread.
 *
 * A character is whole, no surrogate, of no overlong form, and at most U+10FFFF. */
bool utf8_is_valid(const char *text, size_t len);

/* Puts a '?' in the place of every byte that is part of no character. */
void utf8_mend(char *text);

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>

/* id: what names a pod, a container or an exec: 32 random bytes as 64 lower-case hex digits.
 * Any thread. */

enum { ID_LEN = 64, ID_SIZE = ID_LEN + 1 };

void id_new(char out[static ID_SIZE]);

/* True for a whole id as id_new() makes them. */
bool id_is_valid(const char *text);

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>

#include "base/error.h"

/* privilege: what a process of ours that strangers talk to may do. Of root's powers it keeps those
 * that are named, and it gains none by executing anything; nobody of its user reads its memory.
 * For the whole process, before any other thread. */
MUST_CHECK int privilege_keep(const int *capabilities, size_t n, struct error *err);

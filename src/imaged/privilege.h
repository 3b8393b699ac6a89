// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>

#include "base/error.h"

/* privilege: what berth-image may do. It parses what strangers send, so of root's powers it keeps
 * those that making files of other owners needs, or none when it makes none, and it gains none by
 * executing anything. For the whole process, before any other thread. */
MUST_CHECK int privilege_drop(bool makes_files, struct error *err);

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.h"

/* privilege: what berth-image may do. It parses what strangers send, so of root's powers it keeps
 * those that making files of other owners needs, and it gains none by executing anything.
 * For the whole process, before any other thread. */
MUST_CHECK int privilege_drop(struct error *err);

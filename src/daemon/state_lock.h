// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.h"

/* state_lock: that one berthd at a time runs on a state folder.
 *
 * Two of them would undo each other's work. One that was killed while a disk holds a thread of it
 * in the kernel keeps its lock and does no harm: it is passed over. At the start only. */

/* Takes it, until this process ends. ERROR_EXISTS: another berthd has it. */
MUST_CHECK int state_lock_take(const char *folder, struct error *err);

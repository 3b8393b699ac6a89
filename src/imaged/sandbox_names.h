// SPDX-License-Identifier: Apache-2.0
#pragma once

/* sandbox_names: what the system calls are called that no process of berth-image does, but a
 * hijacked one would. NULL for others. Any thread, and signal handlers. */
const char *sandbox_name_of(int call);

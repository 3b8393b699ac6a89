// SPDX-License-Identifier: Apache-2.0
#pragma once

/* call_names: what the system calls are called that no process of ours behind a filter does, but a
 * hijacked one would. NULL for others. Any thread, and signal handlers. */
const char *call_names_find(int call);

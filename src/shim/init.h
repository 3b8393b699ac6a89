// SPDX-License-Identifier: Apache-2.0
#pragma once

/* init: the first process of a pod whose containers share a PID namespace. A fork of the shim; it
 * reaps whatever loses its parent, and ends on SIGTERM, on SIGKILL from outside, or with the shim.
 * When it ends, the kernel kills everything else in the namespace. */
_Noreturn void init_run(void);

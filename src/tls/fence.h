// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.h"

/* fence: what berth-tls can still do when strangers talk to it. Of root's powers it keeps the one
 * to read the key. It is handed its connections and opens none, but asks the kernel for the host's
 * addresses when it makes a certificate, and starts no program. For the whole process, before any
 * other thread; there is no way back. */

/* Powers: before files are read. */
MUST_CHECK int fence_drop_powers(struct error *err);

/* System calls: once OpenSSL has what it needs. A call that is not allowed ends the process, which
 * says so on standard error. */
MUST_CHECK int fence_close(struct error *err);

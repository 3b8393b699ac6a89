// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"

/* interrupt: SIGINT, SIGTERM and SIGHUP as a descriptor that becomes readable. */

/* From here on they are blocked; the caller closes the descriptor. */
MUST_CHECK int interrupt_open(struct error *err);

/* The descriptor is unreadable again, until the next one. */
void interrupt_clear(int fd);

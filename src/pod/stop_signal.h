// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cri.pb-c.h>

#include "base/error.h"
#include "pod/container.h"

/* stop_signal: which signal asks a container to end: the client's, else the image's, else SIGTERM.
 * Any thread. */

/* A name with or without SIG, in any case, RTMIN+n and RTMAX-n, or a number. ERROR_INVALID. */
MUST_CHECK int stop_signal_parse(const char *text, int *out, struct error *err);

/* The number behind an index of CRI's enum; 0 when it has none. */
int stop_signal_of_enum(Runtime__V1__Signal signal);

/* What a container is stopped with. */
MUST_CHECK int stop_signal_for(const struct container *c, int *out, struct error *err);

/* What ContainerStatus says. */
Runtime__V1__Signal stop_signal_enum(const struct container *c);

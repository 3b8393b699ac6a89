// SPDX-License-Identifier: Apache-2.0
#pragma once

/* null: /dev/null for processes of containers.
 *
 * They, or the OCI runtime for them, give their standard streams to the container's user. The
 * node's /dev/null stays what it is, because it is opened through a read-only mount, at which they
 * go on; that takes Linux 5.12. Taking the mount down makes the whole kernel wait, so that it is
 * made once, and kept. */

/* Makes what null_open() needs; to be called before a fork whose child opens it. */
void null_prepare(void);

/* A descriptor of its own: what one container does to it is nothing to the others. -1 with
 * errno. */
int null_open(void);

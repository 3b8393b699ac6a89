// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.h"
#include "base/identity.h"

/* sealed: a program, copied once into memory that nobody can write to any more, not even root, and
 * executed from there.
 *
 * A container could reach for the binary of an OCI runtime through /proc/<pid>/exe and overwrite
 * it on the host. Against that, runtimes copy themselves into such memory, or bind themselves read
 * only, and execute themselves a second time: whenever they are run. One that already runs from
 * memory with exactly these seals does not; so one copy does for all runs on the node. Its pages
 * are there once, however many processes hold a descriptor of it.
 *
 * Any thread. */
struct sealed;

/* More than that is not kept in memory: the Go runtimes, which start slowly for other reasons. */
enum { SEALED_PROGRAM_MAX = 8 * 1024 * 1024 };

/* Looks at nothing yet. */
struct sealed *sealed_new(const char *path);
void sealed_free(struct sealed *s);

/* Gives the caller a descriptor of the copy, read only, and tells of which file it is one. Makes
 * the copy when there is none or the file has changed. Only of ELF programs: the kernel runs a
 * script from a descriptor only if its interpreter can still open that. */
MUST_CHECK int sealed_open(struct sealed *s, int *out_fd, struct identity *out_of,
                           struct error *err);

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.h"

/* relabel: gives a volume the SELinux label that a container's files have.
 *
 * What is at the path gets its label after everything below it, and is looked at first: a volume
 * that has the label already is not walked again, however big it is. Links are labelled, and never
 * followed, and nobody who changes the volume meanwhile can lead the walk out of it. Another file
 * system mounted below is left alone. File systems without labels are passed over. Any thread. */
enum { RELABEL_DEPTH_MAX = 200 };

/* ERROR_INVALID for folders of the node, such as /usr, whose labels its own programs need. */
MUST_CHECK int relabel_tree(const char *path, const char *label, struct error *err);

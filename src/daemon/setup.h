// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.h"
#include "daemon/config.h"
#include "os/loop.h"
#include "os/pool.h"
#include "pod/node.h"

/* setup: makes a node from the configuration, and takes it down. The main thread only. */

/* Folders, lock, database, stores, networks, facts of the host. The node does not serve yet. */
MUST_CHECK int setup_node(struct node *n, const struct config *c, struct loop *loop,
                          struct pool *pool, struct error *err);

/* After the pool has ended. A node without pods leaves no mount and no cgroup behind. */
void setup_fini(struct node *n);

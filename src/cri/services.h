// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "pod/node.h"
#include "rpc/server.h"

/* services: which handler serves which method. */

/* Adds CRI's two services and berth.v1.Node to a server that does not listen yet. */
void services_add(struct rpc_server *server, struct node *n);

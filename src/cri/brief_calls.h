// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "rpc/server.h"

/* brief_calls: which requests are served on the loop's thread (rpc_is_brief).
 *
 * Those that look at the node's maps under its lock, which everybody holds for memory operations
 * only: no file, no database, no shim, no plugin. A status with verbose reads files, so it is none
 * of them; nor is a list of more than BRIEF_CALLS_LIST_MAX: 500 take half a millisecond, beside
 * which a change of threads is nothing. */
enum { BRIEF_CALLS_LIST_MAX = 100 };

/* After the services were added. */
void brief_calls_add(struct rpc_server *server);

rpc_is_brief brief_calls_always, brief_calls_list_pods, brief_calls_list_containers,
    brief_calls_pod_status, brief_calls_container_status;

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "rpc/server.h"

/* pod_calls: the RPCs of pod sandboxes. data is the struct node. */
rpc_handler pod_calls_run;
rpc_handler pod_calls_stop;
rpc_handler pod_calls_remove;
rpc_handler pod_calls_status;
rpc_handler pod_calls_list;
rpc_handler pod_calls_stream;
rpc_handler pod_calls_update;

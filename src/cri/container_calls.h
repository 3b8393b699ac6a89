// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "rpc/server.h"

/* container_calls: the RPCs of containers. data is the struct node. */
rpc_handler container_calls_create;
rpc_handler container_calls_start;
rpc_handler container_calls_stop;
rpc_handler container_calls_remove;
rpc_handler container_calls_status;
rpc_handler container_calls_list;
rpc_handler container_calls_stream;
rpc_handler container_calls_exec_sync;
rpc_handler container_calls_reopen_log;
rpc_handler container_calls_update;

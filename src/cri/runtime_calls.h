// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "rpc/server.h"

/* runtime_calls: the RPCs about the runtime as a whole. data is the struct node. */
rpc_handler runtime_calls_version;
rpc_handler runtime_calls_status;
rpc_handler runtime_calls_config;
rpc_handler runtime_calls_update;
rpc_handler runtime_calls_events;

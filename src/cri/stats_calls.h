// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "rpc/server.h"

/* stats_calls: the RPCs that tell what pods and containers use. data is the struct node. */
rpc_handler stats_calls_container;
rpc_handler stats_calls_list_containers;
rpc_handler stats_calls_stream_containers;
rpc_handler stats_calls_pod;
rpc_handler stats_calls_list_pods;
rpc_handler stats_calls_stream_pods;
